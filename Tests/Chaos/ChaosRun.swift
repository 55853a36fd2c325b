import Foundation
import Randomness
import RedisClient
import TestSupport

/// Breaks a shop for a while in every available way, lets it recover, and judges the result.
package struct ChaosRun {
    let settings: ChaosSettings
    let shop: ChaosShop
    let journal: ChaosJournal
    let fleet: ConsumerFleet
    let history = SentHistory()
    let catalogues = Catalogues()
    let acknowledgements = Acknowledgements()
    let announcements: Announcements
    let shopfront: Shopfront
    let shown = ShownHistory()
    let traffic = Traffic()
    let records = OperatorRecords()
    /// The contents of ledgers before they were replaced by an older one.
    var replaced: [LedgerContents] = []
    /// Checks the shop while it is being broken.
    private var looking: Task<Void, any Error>?
    private var seeds: SeededGenerator

    /// - Throws: If it could not run; the shop's faults are in the report.
    package static func run(_ settings: ChaosSettings) async throws -> ChaosReport {
        let shop = try await ChaosShop()
        var run = ChaosRun(settings, shop)
        do {
            let report = try await run.run()
            await shop.close()
            return report
        } catch {
            run.fleet.stop()
            run.fleet.killAll()
            await shop.close()
            throw error
        }
    }

    private init(_ settings: ChaosSettings, _ shop: ChaosShop) {
        self.settings = settings
        self.shop = shop
        journal = ChaosJournal(file: shop.folder.path(of: "history.log"), isVerbose: settings.isVerbose)
        fleet = ConsumerFleet(shop: shop, journal: journal)
        announcements = Announcements(journal: journal)
        shopfront = Shopfront(shop: shop, journal: journal)
        seeds = SeededGenerator(seed: settings.seed)
    }

    /// A separate generator for one actor: it does not depend on what others draw.
    mutating func generator() -> SeededGenerator { SeededGenerator(seed: seeds.next()) }

    private mutating func run() async throws -> ChaosReport {
        guard try await catalogues.sync(ShopCatalogue(), in: shop) else {
            throw TestSupportError("the first catalogue was refused")
        }
        let isFailing = !settings.without.contains("failpoint")
        let keepers = (0..<ChaosSettings.consumers).map { slot in
            let generator = generator()
            return Task { [fleet] in try await fleet.keep(slot: slot, failing: isFailing, generator: generator) }
        }
        startLooking()
        let sending = Task { [history, shop, journal, traffic] in
            try await Publisher.sendAgain(history, to: shop, journal: journal, traffic: traffic)
        }
        let following = Task { [announcements, shop] in try await announcements.follow(shop) }
        let visiting = visitors()
        let publishing = publishers().map { first in
            Task {
                var publisher = first
                try await publisher.publish()
            }
        }
        defer {
            for task in keepers + [sending, following] + publishing + visiting { task.cancel() }
            looking?.cancel()
        }
        var times = generator()
        let timetable = Timetable(settings, using: &times)
        try await breakThings(timetable, &times)
        traffic.end()
        for publisher in publishing { try await publisher.value }
        journal.note("faults are over")
        fleet.calm()
        traffic.isHurried = true
        await waitUntilDone()
        await waitUntilReconciled()
        try await stopLooking()
        sending.cancel()
        try await sending.value
        fleet.stop()
        for keeper in keepers { try await keeper.value }
        for visitor in visiting { visitor.cancel() }
        for visitor in visiting { try await visitor.value }
        following.cancel()
        try await following.value
        let contents = try await verdict.reach(shown.all, replaced: replaced)
        expectEveryKind(timetable)
        return try await report(contents)
    }

    mutating func startLooking() {
        let observer = Observer(
            shop: shop, history: history, catalogues: catalogues, acknowledgements: acknowledgements, journal: journal)
        looking = Task { try await observer.observe() }
    }

    mutating func stopLooking() async throws {
        looking?.cancel()
        try await looking?.value
        looking = nil
    }

    var verdict: ChaosVerdict {
        ChaosVerdict(
            shop: shop, journal: journal, history: history, catalogues: catalogues, announcements: announcements,
            records: records, transcripts: fleet.transcripts + shopfront.transcripts)
    }

    private mutating func publishers() -> [Publisher] {
        let changesOrders = !settings.without.contains("cancellations")
        let names: [(String, Traffic.Publishers)] = [("a", .ordinary), ("b", .ordinary), ("c", .once)]
        return names.map { name, kind in
            Publisher(
                shop: shop, maker: MessageMaker(name: name, generator: generator(), changesOrders: changesOrders),
                generator: generator(), history: history, journal: journal, traffic: traffic, publishers: kind)
        }
    }

    /// The shopfront and its readers.
    private mutating func visitors() -> [Task<Void, any Error>] {
        let shoppers = Shoppers(shopfront: shopfront, catalogues: catalogues, history: shown, journal: journal)
        let (first, second, third, fourth) = (generator(), generator(), generator(), generator())
        return [
            Task { [shopfront] in try await shopfront.keep(first) }, Task { await shoppers.ask("asker 1", second) },
            Task { await shoppers.ask("asker 2", third) }, Task { await shoppers.watch(fourth) },
        ]
    }

    /// Liveness: once nothing is broken any more, everything is recorded and acknowledged within the limit.
    private func waitUntilDone() async {
        var state = ""
        do {
            try await eventually(within: ChaosSettings.quietLimit, "everything to be done") {
                let unrecorded = history.unrecordedCount
                let waiting = try? await shop.unfinished()
                state = "\(unrecorded) without a record, \(waiting.map(String.init) ?? "unknown") unread or pending"
                return unrecorded == 0 && waiting == 0
            }
            journal.note("everything is done")
        } catch {
            journal.violation(.everythingFinishes, "not done after \(ChaosSettings.quietLimit): \(state)")
        }
    }

    /// Consumers themselves repair edits of the counters, before a last start installs the counters again.
    private func waitUntilReconciled() async {
        var said = ""
        do {
            try await eventually(within: ChaosSettings.quietLimit, "no drift") {
                let result = try await shop.run(["reconcile"])
                said = "exit \(result.status): \(result.output)\(result.errors)"
                return result.status == 0
            }
        } catch {
            journal.violation(.noDrift, "drift that is not repaired: \(said)")
        }
    }

    private func report(_ contents: LedgerContents) async throws -> ChaosReport {
        var kept: String?
        if settings.keepsFolder || !journal.violations.isEmpty { kept = try await shop.keep(fleet.transcripts) }
        return ChaosReport(
            seed: settings.seed, journal: journal, contents: contents,
            disk: shop.disk == nil ? "ordinary; \"disk full\" left out (mounting a small one takes root)" : "a tmpfs",
            folder: kept, duration: journal.elapsed)
    }
}
