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
    private let announcements: Announcements
    private let shopfront: Shopfront
    private let shown = ShownHistory()
    private let traffic = Traffic()
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
        announcements = Announcements(journal: journal)
        shopfront = Shopfront(shop: shop, journal: journal)
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
        defer { for task in keepers + [looking, sending, following] + publishing + visiting { task.cancel() } }
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
        looking.cancel()
        sending.cancel()
        try await looking.value
        try await sending.value
        fleet.stop()
        for keeper in keepers { try await keeper.value }
        for visitor in visiting { visitor.cancel() }
        for visitor in visiting { try await visitor.value }
        following.cancel()
        try await following.value
        var verdict = ChaosVerdict(
            shop: shop, journal: journal, history: history, catalogues: catalogues, announcements: announcements,
            shown: shown, transcripts: fleet.transcripts + shopfront.transcripts)
        try await verdict.reach()
        return try await report(verdict.contents)
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

    /// The shopfront, and those who look at it.
    private mutating func visitors() -> [Task<Void, any Error>] {
        let shoppers = Shoppers(shopfront: shopfront, catalogues: catalogues, history: shown, journal: journal)
        let (first, second, third, fourth) = (generator(), generator(), generator(), generator())
        return [
            Task { [shopfront] in try await shopfront.keep(first) }, Task { await shoppers.ask("asker 1", second) },
            Task { await shoppers.ask("asker 2", third) }, Task { await shoppers.watch(fourth) },
        ]
    }

    private mutating func lanes() -> Lanes {
        Lanes(
            consumers: ConsumerFaults(
                fleet: fleet, journal: journal, without: settings.without, generator: generator()),
            redis: RedisFaults(
                shop: shop, journal: journal, acknowledgements: acknowledgements, without: settings.without,
                generator: generator()),
            network: NetworkFaults(
                consumers: shop.proxy, readers: shop.readersProxy, journal: journal, without: settings.without,
                includesHalfOpen: settings.includesHalfOpen, generator: generator()),
            ledger: LedgerFaults(
                shop: shop, journal: journal, catalogues: catalogues, without: settings.without,
                generator: generator()))
    }

    private mutating func breakThings(_ timetable: Timetable, _ times: inout SeededGenerator) async throws {
        var lanes = lanes()
        var stays = StayingFaults(
            shop: shop, journal: journal, fleet: fleet, history: history, traffic: traffic, generator: generator())
        traffic.open(.ordinary)
        for (index, chapter) in timetable.chapters.enumerated() {
            switch chapter {
            case .weather(let duration, let loses):
                journal.note("weather for \(duration)\(loses ? "" : ", in which nothing is lost")")
                fleet.endCalm()
                if loses { journal.beginLosing() } else { traffic.open(.once) }
                try await lanes.run(Rhythm(duration: duration, using: &times), loses: loses)
            case .stay(let kind, let time):
                traffic.open(.once)
                try await stays.run(kind, for: time)
            }
            // What is never sent again must be recorded before anything loses messages.
            try await traffic.close(.once)
            if index < timetable.chapters.count - 1 { await calm() }
        }
        if !settings.includesHalfOpen {
            // Nobody has done what did not take place.
            demand(timetable)
        }
    }

    /// Waits until nothing is left of the faults: all consumers run, and what was sent is recorded.
    private func calm() async {
        fleet.calm()
        traffic.isHurried = true
        defer { traffic.isHurried = false }
        let count = history.count
        var state = ""
        do {
            try await eventually(within: ChaosSettings.settlingLimit, "calm") {
                let left = history.unrecordedCount(ofFirst: count, accepted: false)
                state =
                    "\(left) of \(count) messages without a record; \(fleet.standing().map { "\($0)" } ?? "not all run")"
                return left == 0 && fleet.standing() != nil
            }
        } catch {
            journal.violation("I12", "not as it was after \(ChaosSettings.settlingLimit): \(state)")
        }
    }

    /// Each kind of what was to happen has happened.
    private func demand(_ timetable: Timetable) {
        for kind in Set(timetable.stays) where journal.counts(StayingFaults.heading)[kind.rawValue] == nil {
            if kind == .diskFull, shop.disk == nil { continue }
            journal.violation("chaos", "\(kind.rawValue) did not take place")
        }
        if settings.hasRoomForAll, !settings.without.contains("sync") {
            for change in ShopCatalogue.Change.allCases
            where journal.counts(LedgerFaults.heading)[change.rawValue] == nil {
                journal.violation("chaos", "\(change.rawValue): not once")
            }
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
