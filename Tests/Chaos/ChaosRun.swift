import Foundation
import Randomness
import RedisClient
import TestSupport

/// Breaks a shop for a while by every means there are, lets it heal, and judges what came of it.
package struct ChaosRun {
    private let settings: ChaosSettings
    private let shop: ChaosShop
    private let journal: ChaosJournal
    private let fleet: ConsumerFleet
    private let history = SentHistory()
    private let catalogues = Catalogues()
    private let acknowledgements = Acknowledgements()
    private var seeds: SeededGenerator

    /// - Throws: when it could not run; what is wrong with the shop is in the report.
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
        seeds = SeededGenerator(seed: settings.seed)
    }

    /// A generator for one of those who act: what the others draw does not disturb it.
    private mutating func generator() -> SeededGenerator { SeededGenerator(seed: seeds.next()) }

    private mutating func run() async throws -> ChaosReport {
        guard try await catalogues.sync(ShopCatalogue(), in: shop) else {
            throw TestSupportError("the first catalogue was refused")
        }
        let isFailing = !settings.without.contains("failpoint")
        let keepers = (0..<ChaosSettings.consumers).map { slot in
            let generator = generator()
            return Task { [fleet] in try await fleet.keep(slot: slot, failing: isFailing, generator: generator) }
        }
        let observer = Observer(
            shop: shop, history: history, catalogues: catalogues, acknowledgements: acknowledgements, journal: journal)
        let looking = Task { try await observer.observe() }
        let sending = Task { [history, shop, journal] in
            try await Publisher.sendAgain(history, to: shop, journal: journal, patience: ChaosSettings.patience)
        }
        defer { for task in keepers + [looking, sending] { task.cancel() } }
        try await breakThings()
        journal.note("faults are over")
        fleet.heal()
        await waitUntilDone()
        await waitUntilReconciled()
        looking.cancel()
        sending.cancel()
        try await looking.value
        try await sending.value
        fleet.stop()
        for keeper in keepers { try await keeper.value }
        var verdict = ChaosVerdict(
            shop: shop, journal: journal, history: history, catalogues: catalogues, transcripts: fleet.transcripts)
        try await verdict.reach()
        return try await report(verdict.contents)
    }

    private mutating func breakThings() async throws {
        var times = generator()
        let rhythm = Rhythm(duration: settings.duration, using: &times)
        let consumers = ConsumerFaults(
            fleet: fleet, journal: journal, without: settings.without, generator: generator())
        let redis = RedisFaults(
            shop: shop, journal: journal, acknowledgements: acknowledgements, without: settings.without,
            generator: generator())
        let network = NetworkFaults(
            proxy: shop.proxy, journal: journal, without: settings.without,
            includesHalfOpen: settings.includesHalfOpen, generator: generator())
        let ledger = LedgerFaults(
            shop: shop, journal: journal, catalogues: catalogues, without: settings.without, generator: generator())
        let changesOrders = !settings.without.contains("cancellations")
        let publishers = ["a", "b"].map { name in
            Publisher(
                shop: shop, maker: MessageMaker(name: name, generator: generator(), changesOrders: changesOrders),
                generator: generator(), history: history, journal: journal)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var lane = consumers
                try await lane.run(rhythm)
            }
            group.addTask {
                var lane = redis
                try await lane.run(rhythm)
            }
            group.addTask {
                var lane = network
                try await lane.run(rhythm)
            }
            group.addTask {
                var lane = ledger
                try await lane.run(rhythm)
            }
            for publisher in publishers {
                group.addTask {
                    var publisher = publisher
                    try await publisher.publish(until: rhythm.end)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Liveness: with nothing broken any more, everything is recorded and settled within the limit.
    private func waitUntilDone() async {
        var state = ""
        do {
            try await eventually(within: ChaosSettings.settlingLimit, "everything to be done") {
                let unrecorded = history.unrecordedCount
                let waiting = try? await shop.unfinished()
                state = "\(unrecorded) without a record, \(waiting.map(String.init) ?? "unknown") unread or pending"
                return unrecorded == 0 && waiting == 0
            }
            journal.note("everything is done")
        } catch {
            journal.violation("I12", "not done after \(ChaosSettings.settlingLimit): \(state)")
        }
    }

    /// What hands have done to the counters, the consumers set right by themselves: before a last start installs them anew.
    private func waitUntilReconciled() async {
        var said = ""
        do {
            try await eventually(within: ChaosSettings.settlingLimit, "no drift") {
                let result = try await shop.run(["reconcile"])
                said = "exit \(result.status): \(result.output)\(result.errors)"
                return result.status == 0
            }
        } catch {
            journal.violation("I5", "drift that nobody repairs: \(said)")
        }
    }

    private func report(_ contents: LedgerContents?) async throws -> ChaosReport {
        var kept: String?
        if settings.keepsFolder || !journal.violations.isEmpty { kept = try await shop.keep(fleet.transcripts) }
        return ChaosReport(
            seed: settings.seed, journal: journal, contents: contents,
            disk: shop.disk == nil ? "ordinary; \"disk full\" left out (mounting a small one takes root)" : "a tmpfs",
            folder: kept, duration: journal.elapsed)
    }
}
