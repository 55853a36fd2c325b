import Foundation
import Randomness
import TestSupport

extension ChaosRun {
    private mutating func lanes() -> Lanes {
        Lanes(
            consumers: ConsumerFaults(
                fleet: fleet, journal: journal, without: settings.without, generator: generator()),
            redis: RedisFaults(
                shop: shop, journal: journal, acknowledgements: acknowledgements, announcements: announcements,
                without: settings.without, generator: generator()),
            network: NetworkFaults(
                consumers: shop.proxy, readers: shop.readersProxy, journal: journal, without: settings.without,
                includesHalfOpen: settings.includesHalfOpen, generator: generator()),
            ledger: LedgerFaults(
                shop: shop, journal: journal, catalogues: catalogues, without: settings.without,
                generator: generator()),
            people: OperatorDeeds(
                shop: shop, journal: journal, history: history, records: records, without: settings.without,
                generator: generator()))
    }

    mutating func breakThings(_ timetable: Timetable, _ times: inout SeededGenerator) async throws {
        var lanes = lanes()
        var stays = StayingFaults(
            shop: shop, journal: journal, fleet: fleet, history: history, traffic: traffic, generator: generator())
        let closed = ClosedShop(
            shop: shop, journal: journal, fleet: fleet, history: history, announcements: announcements,
            traffic: traffic,
            shopfront: shopfront)
        traffic.open(.ordinary)
        traffic.open(.again)
        for (index, chapter) in timetable.chapters.enumerated() {
            switch chapter {
            case .random(let duration, let loses):
                journal.note("random faults for \(duration)\(loses ? "" : ", in which nothing is lost")")
                fleet.endCalm()
                if !loses { traffic.open(.once) }
                try await lanes.run(Rhythm(duration: duration, using: &times), loses: loses)
            case .stay(let kind, let time):
                traffic.open(.once)
                try await stays.run(kind, for: time)
            case .close(.adopt, _): try await closed.adopt()
            case .close(.restore, let time):
                try await stopLooking()
                var before: LedgerContents?
                try await closed.restore(after: time) { [verdict] contents in
                    before = contents
                    try await verdict.judge(contents)
                }
                if let before { replaced.append(before) }
                // Redis must not be restored to an earlier state: it would know more than the ledger.
                try lanes.redis.noteDestruction()
                startLooking()
            }
            // Messages that are never resent must be recorded before any fault loses messages.
            try await traffic.close(.once)
            if index < timetable.chapters.count - 1 { await calm() }
        }
    }

    /// Waits until the faults' effects have ended: all consumers run, and everything sent is recorded.
    private func calm() async {
        fleet.calm()
        traffic.isHurried = true
        defer { traffic.isHurried = false }
        let count = history.count
        var state = ""
        do {
            try await eventually(within: ChaosSettings.quietLimit, "calm") {
                let left = history.unrecordedCount(ofFirst: count)
                state =
                    "\(left) of \(count) messages without a record; \(fleet.standing().map { "\($0)" } ?? "not all run")"
                return left == 0 && fleet.standing() != nil
            }
        } catch {
            journal.violation(.everythingFinishes, "not recovered after \(ChaosSettings.quietLimit): \(state)")
        }
    }

    /// Checks that every kind of planned event has happened.
    func expectEveryKind(_ timetable: Timetable) {
        func expect(_ heading: String, _ kinds: [String]) {
            for kind in kinds where journal.counts(heading)[kind] == nil && !settings.without.contains(kind) {
                journal.violation(.chaos, "\(heading): \(kind): not once")
            }
        }
        let stays = timetable.stays.filter { $0 != .diskFull || shop.disk != nil }
        expect(StayingFaults.heading, stays.map(\.rawValue))
        expect(OperatorDeeds.heading, timetable.closings.map(\.rawValue))
        guard settings.hasRoomForAll else { return }
        expect(OperatorDeeds.heading, OperatorDeeds.Kind.allCases.map(\.rawValue))
        if !settings.without.contains("sync") {
            expect(LedgerFaults.heading, ShopCatalogue.Change.allCases.map(\.rawValue))
        }
        expect(
            Shopfront.heading,
            ["answers 200", "subscriptions 200", "events availability", "events catalogue", ShownJudge.compared])
        expect("messages", ["never sent again"])
        expect("samples", ["records announced"])
    }
}
