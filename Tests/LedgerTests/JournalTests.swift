import Domain
import Ledger
import LedgerSamples
import Testing

/// Everything that was recorded, row by row, of every kind.
@Suite("The journal")
struct JournalTests {
    private func rows(_ fixture: LedgerFixture, after position: Int64 = 0, limit: Int = 99) async throws
        -> [JournalEntry]
    {
        try await fixture.ledger.journal(after: position, limit: limit)
    }

    private func adjusted(by units: Int64, _ id: Identifier, seq: Int64) -> BatchRecord<DecidedCommand> {
        adjustment(Adjustment(adjustmentID: id, sku: SKU("sheet"), units: units, reason: "fair"), .accepted(seq: seq))
    }

    @Test("has a row for everything that was recorded, in the order of the stream", arguments: Backend.allCases)
    func kinds(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let left = [SKUUnits(SKU("sheet"), 2)]
            try await fixture.record(
                order("o1", [("sheet", nil, 2)], .accepted(seq: 1)), deadLetter("1-0", fingerprint: [0x0A, 0xFF]),
                order("o2", [("kit", nil, 4)], refused(.product("kit"), asked: 4, left: 3)))
            try await fixture.record(
                cancellation(
                    Cancellation(cancellationID: "c1", orderID: "o1", items: nil, restock: true), of: left,
                    .accepted(seq: 2)), adjusted(by: 3, "a1", seq: 3))
            let rows = try await rows(fixture)
            #expect(rows.map(\.position) == [1, 2, 3, 4, 5, 6])
            #expect(
                rows.map(\.kind) == [.catalogue, .order, .deadLetter, .order, .command(.cancel), .command(.adjust)])
            #expect(rows.map(\.key) == ["1", "o1", "1-0/0aff", "o2", "c1", "a1"])
            #expect(
                rows.map(\.outcome) == ["catalogue", "accepted", "dead_letter", "refused", "cancelled", "adjusted"])
            #expect(rows.map(\.reason) == [nil, nil, "invalid_json", "insufficient", nil, nil])
            #expect(rows.map(\.seq) == [nil, 1, nil, nil, 2, 3])
            #expect(rows.map(\.units) == [nil, 2, nil, 4, 2, 3])
            #expect(rows.map(\.number) == [nil, 1, 1, 2, nil, nil])
            #expect(rows.map(\.entryID?.isEmpty) == [nil, false, false, false, false, false])
            #expect(rows[2].digest == [0x0A, 0xFF] && rows[1].digest.count == 32 && rows[0].digest.isEmpty)
            let head = try await fixture.ledger.head()
            #expect(head.position == 6 && rows.allSatisfy { $0.epoch == head.epoch })
        }
    }

    @Test("has the sender of each message, and so do the details read from it", arguments: Backend.allCases)
    func senders(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var checkout = Checkout(
                orderID: "o1", customer: .init(email: "a@example.com"),
                items: [.init(productID: "sheet", units: 2, unitPrice: 1)])
            checkout.by = "webhook 7"
            try await fixture.record(order(checkout, .accepted(seq: 1)))
            try await fixture.record(
                cancellation(
                    Cancellation(cancellationID: "c1", orderID: "o1", by: "support"), of: [SKUUnits(SKU("sheet"), 2)],
                    .accepted(seq: 2)),
                adjustment(
                    Adjustment(adjustmentID: "a1", sku: SKU("sheet"), units: 1, reason: "fair", by: "maria"),
                    .accepted(seq: 3)))
            #expect(try await rows(fixture).map(\.by) == [nil, "webhook 7", "support", "maria"])
            #expect(try await fixture.ledger.order("o1")?.checkout == checkout)
            #expect(try await fixture.ledger.adjustment("a1")?.adjustment.by == "maria")
            // The sender is not customer data.
            _ = try await fixture.ledger.erase(["o1"])
            #expect(try await fixture.ledger.order("o1")?.checkout.by == "webhook 7")
        }
    }

    @Test("is read from any position on, up to a limit", arguments: Backend.allCases)
    func pages(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            for seq in 1...4 as ClosedRange<Int64> {
                try await fixture.record(order(Identifier("o\(seq)"), [("sheet", nil, 1)], .accepted(seq: seq)))
            }
            #expect(try await rows(fixture, after: 2, limit: 2).map(\.position) == [3, 4])
            #expect(try await rows(fixture, after: 4).map(\.key) == ["o4"])
            #expect(try await rows(fixture, after: 5) == [])
            #expect(try await rows(fixture, after: -7, limit: 1).map(\.position) == [1])
        }
    }

    @Test(
        "gets no row for a batch that is not recorded: if part of it is already there, all of it is rejected",
        arguments: Backend.allCases)
    func gaps(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o1", [("sheet", nil, 1)], .accepted(seq: 1)))
            let before = try await fixture.everything()
            let head = try await fixture.ledger.head()
            let answer = try await fixture.record(
                deadLetter("2-0"), order("o2", [("sheet", nil, 1)], .accepted(seq: 2)),
                order("o1", [("sheet", nil, 2)], .accepted(seq: 3)))
            #expect(answer == .outdated(head))
            #expect(try await fixture.everything() == before)
            // The same key of another kind is another key.
            #expect(
                try await fixture.record(adjusted(by: 1, "o1", seq: 2)) == .recorded(position: head.position + 1))
        }
    }

    @Test("returns the rows to announce between two positions, some rows at a time", arguments: Backend.allCases)
    func toAnnounce(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let ledger = fixture.ledger
            try await fixture.record(
                order("o1", [("sheet", nil, 2)], .accepted(seq: 1)), deadLetter("1-0", fingerprint: [1]),
                order("o2", [("kit", nil, 4)], refused(.product("kit"), asked: 4, left: 3)))
            // The first row is of the catalogue, which is not announced.
            let slices: [(after: Int64, through: Int64, limit: Int, positions: [Int64], end: Int64)] = [
                (0, 4, 9, [2, 3, 4], 4), (0, 4, 1, [], 1), (0, 4, 2, [2], 2), (1, 3, 9, [2, 3], 3), (4, 4, 9, [], 4),
                (3, 9, 9, [4], 4), (4, 9, 9, [], 9),
            ]
            for (after, through, limit, positions, end) in slices {
                let slice = try await ledger.outcomes(after: after, through: through, limit: limit)
                #expect(slice.outcomes.map(\.place.position) == positions && slice.through == end, "\(after)")
            }
            // This is the outcome that a replay gets.
            let told = try await ledger.outcomes(after: 0, through: 4, limit: 9).outcomes
            let prior = try await ledger.priorState(
                for: BatchLookup(keys: [.order("o1"), .order("o2")], entryIDs: ["1-0"]))
            let known = [
                prior.decisions[.order("o1")]?.outcome, prior.deadLetters.values.first,
                prior.decisions[.order("o2")]?.outcome,
            ]
            #expect(told.map { $0 } == known.compactMap { $0 })
        }
    }

    @Test("lists outcomes as they were announced, with all ids, from any position on", arguments: Backend.allCases)
    func outcomes(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let left = [SKUUnits(SKU("sheet"), 2)]
            try await fixture.record(order("o1", [("sheet", nil, 2)], .accepted(seq: 1)))
            let places = try await fixture.ledger.outcomes(after: EpochPosition(epoch: 0, position: 0), limit: 9)
            #expect(places.map(\.place.text) == ["0:2"])
            try await fixture.ledger.raiseEpoch()
            try await fixture.record(
                cancellation(
                    Cancellation(cancellationID: "c1", orderID: "o1", items: nil, restock: true), of: left,
                    .accepted(seq: 2)), deadLetter("1-0", orderID: "gone"), adjusted(by: 3, "a1", seq: 3))
            func after(_ place: String, limit: Int = 9) async throws -> [String] {
                try await fixture.ledger.outcomes(after: try #require(EpochPosition(place)), limit: limit).map {
                    let ids = [Command.Kind.placeOrder, .cancel, .adjust].map($0.outcome.ids.text)
                    return "\($0.place.text) \($0.outcome.kind) \(ids[0]) \(ids[1])\(ids[2]) "
                        + "\($0.outcome.seq ?? 0) \($0.outcome.units ?? 0)"
                }
            }
            let all = [
                "0:2 accepted o1  1 2", "1:3 cancelled o1 c1 2 2", "1:4 deadLetter gone  0 0", "1:5 adjusted  a1 3 3",
            ]
            #expect(try await after("0:0") == all)
            #expect(try await after("0:2", limit: 2) == Array(all[1...2]))
            #expect(try await after("1:4") == [all[3]])
            #expect(try await after("1:5") == [])
            // From a ledger that was further ahead before a backup replaced it: later rows have a later epoch.
            #expect(try await after("0:70") == Array(all[1...]))
            #expect(try await after("2:1") == [])
        }
    }

    @Test("A position is two numbers", arguments: ["", "1", "1:", ":1", "1:2:3", "-1:2", "1:-2", "a:1", "1: 2", "٣:1"])
    func places(_ text: String) { #expect(EpochPosition(text) == nil) }

    @Test("has a row for each version of the catalogue, and none if nothing changed", arguments: Backend.allCases)
    func catalogue(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var catalogue = Catalogue.sample
            _ = try await fixture.ledger.sync(catalogue)
            catalogue.products[0].cap = 99
            _ = try await fixture.ledger.sync(catalogue)
            let rows = try await rows(fixture)
            #expect(rows.map(\.kind) == [.catalogue, .catalogue] && rows.map(\.key) == ["1", "2"])
            #expect(try await fixture.ledger.head().position == 2)
        }
    }
}
