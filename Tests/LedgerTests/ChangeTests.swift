import Domain
import Ledger
import LedgerSamples
import Testing

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")

@Suite("Cancellations and adjustments in the ledger")
struct ChangeTests {
    private static let owned = [SKUUnits(SKU("cube", "black"), 3), SKUUnits(SKU("sheet"), 2)]

    /// An order of three black cubes and two sheets.
    private func withOrder(on backend: Backend, _ body: (LedgerFixture) async throws -> Void) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let lines: [Line] = [("cube", "black", 3), ("sheet", nil, 2)]
            try await fixture.record(order("o", lines, .accepted(seq: 1)))
            try await body(fixture)
        }
    }

    private func take(_ units: Int64, restock: Bool = true) -> Cancellation {
        Cancellation(
            cancellationID: Identifier("c-\(units)"), orderID: "o", items: [SKUUnits(SKU("cube", "black"), units)],
            restock: restock)
    }

    @Test(
        "give back what the order owns, which is cancelled once it owns nothing any more", arguments: Backend.allCases)
    func cancellations(_ backend: Backend) async throws {
        try await withOrder(on: backend) { fixture async throws in
            try await fixture.record(cancellation(take(2), of: Self.owned, .accepted(seq: 2)))
            #expect(try await fixture.ledger.order("o")?.status == .accepted)
            let sold = try await fixture.sold()
            #expect(sold[cube] == 1 && sold[black] == 1)
            let left = [SKUUnits(SKU("cube", "black"), 1), SKUUnits(SKU("sheet"), 2)]
            let rest = Cancellation(cancellationID: "rest", orderID: "o")
            #expect(
                try await fixture.record(cancellation(rest, of: left, .accepted(seq: 3))) == .recorded(position: 4))
            #expect(try await fixture.ledger.order("o")?.status == .cancelled)
            #expect(try await fixture.sold()[cube] == 0)
            let orderDetails = try await fixture.ledger.orderDetails(of: "o")
            typealias Item = RecordedCancellation.Item
            #expect(
                orderDetails.cancellations.map(\.items) == [
                    [Item(sku: SKU("cube", "black"), asked: 2, released: 2, givenBack: 2)],
                    [
                        Item(sku: SKU("cube", "black"), asked: nil, released: 1, givenBack: 1),
                        Item(sku: SKU("sheet"), asked: nil, released: 2, givenBack: 2),
                    ],
                ])
            #expect(orderDetails.owned.isEmpty)
        }
    }

    @Test(
        "of units that cannot be sold again leave the counters, and count as owned by no order",
        arguments: Backend.allCases)
    func withoutRestock(_ backend: Backend) async throws {
        try await withOrder(on: backend) { fixture async throws in
            try await fixture.record(cancellation(take(9, restock: false), of: Self.owned, .unchanged))
            #expect(try await fixture.sold()[black] == 3)
            let lookup = BatchLookup(adjustedCounters: [black])
            #expect(try await fixture.ledger.priorState(for: lookup).balances[black]?.adjusted == 3)
            let recorded = try #require(try await fixture.ledger.orderDetails(of: "o").cancellations.first)
            #expect(recorded.units == 0 && recorded.notOwned == 6 && recorded.seq == nil)
        }
    }

    /// Decisions that the gate is said to have made about taking two black cubes back from an order that owns three.
    private static let wrong: [([SKUUnits], Decision)] = [
        // The order owned less, or more, when the gate was asked.
        ([SKUUnits(SKU("cube", "black"), 1)], .accepted(seq: 2)), ([], .unchanged),
        // Another change of the counters came in between.
        (owned, .accepted(seq: 3)), (owned, .unchanged),
    ]

    @Test(
        "are not recorded if the ledger's own counters give another change", arguments: Backend.allCases,
        wrong.indices)
    func disagreement(_ backend: Backend, _ index: Int) async throws {
        let (owned, decision) = Self.wrong[index]
        try await withOrder(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let answer = try await fixture.record(cancellation(take(2), of: owned, decision))
            let isOtherChange = owned != Self.owned
            #expect(
                answer
                    == .disagreed(
                        .command(
                            Command.Key(.cancel, "c-2"), gate: decision,
                            ledger: isOtherChange ? nil : .accepted(seq: 2))))
            #expect(try await fixture.everything() == before)
        }
    }

    @Test(
        "of a missing order, or of more than a counter has sold, are not recorded",
        arguments: Backend.allCases)
    func impossible(_ backend: Backend) async throws {
        try await withOrder(on: backend) { fixture async throws in
            let other = Cancellation(cancellationID: "c", orderID: "other")
            #expect(
                try await fixture.record(cancellation(other, of: [], .unchanged))
                    == .disagreed(.command(Command.Key(.cancel, "c"), gate: .unchanged, ledger: nil)))
            try fixture.set(cube, sold: 1)
            #expect(
                try await fixture.record(cancellation(take(2), of: Self.owned, .accepted(seq: 2)))
                    == .disagreed(.miscounted(cube)))
        }
    }

    @Test("adjust sold units beyond every cap, but take away no more than was added", arguments: Backend.allCases)
    func adjustments(_ backend: Backend) async throws {
        try await withOrder(on: backend) { fixture async throws in
            func change(_ id: Identifier, _ units: Int64) -> Adjustment {
                Adjustment(adjustmentID: id, sku: SKU("cube", "black"), units: units, reason: "fair")
            }
            try await fixture.record(adjustment(change("more", 20), .accepted(seq: 2)))
            let sold = try await fixture.sold()
            #expect(sold[cube] == 23 && sold[black] == 23)
            try await fixture.record(adjustment(change("less", -19), .accepted(seq: 3)))
            #expect(try await fixture.sold()[cube] == 4)
            #expect(
                try await fixture.record(adjustment(change("too-much", -2), .accepted(seq: 4)))
                    == .disagreed(
                        .command(Command.Key(.adjust, "too-much"), gate: .accepted(seq: 4), ledger: nil)))
        }
    }
}
