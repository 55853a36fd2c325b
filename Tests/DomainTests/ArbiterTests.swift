import Domain
import Testing

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let lamp = CounterName.product("lamp")

/// Without gate and ledger; `GateArbiterTests` compares a million random commands with both.
@Suite("The arbiter")
struct ArbiterTests {
    /// Cubes: 10, of which 6 black; lamps are unlimited. Order "o" owns two black cubes and a lamp.
    private static func arbiter() -> Arbiter {
        var arbiter = Arbiter(seq: 5)
        arbiter.load(cube, Balance(sold: 7, adjusted: 2, cap: 10))
        arbiter.load(black, Balance(sold: 4, adjusted: 1, cap: 6))
        arbiter.load(lamp, Balance(sold: 1, cap: nil))
        arbiter.load(order: "o", owns: [SKUUnits(SKU("cube", "black"), 2), SKUUnits(SKU("lamp"), 1)])
        return arbiter
    }

    private static func order(_ lines: (product: Identifier, variant: Identifier?, units: Int64)...) -> Command {
        let items = lines.map {
            Checkout.Item(productID: $0.product, variantID: $0.variant, units: $0.units, unitPrice: 1)
        }
        return .placeOrder(Order(Checkout(orderID: "new", items: items)))
    }

    private static func cancel(_ items: [SKUUnits]?, restock: Bool = true, order: Identifier = "o") -> Command {
        .cancel(Cancellation(cancellationID: "c", orderID: order, items: items, restock: restock))
    }

    private static func adjust(_ sku: SKU, _ units: Int64) -> Command {
        .adjust(Adjustment(adjustmentID: "a", sku: sku, units: units, reason: "r"))
    }

    /// A command, its decision, and the balances that differ afterwards.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var command: Command
        var decision: Decision
        var changes: [CounterName: Balance] = [:]

        var testDescription: String { name }
    }

    private static let rows = [
        Row(
            name: "an order that fits at both levels", command: order(("cube", "black", 2)),
            decision: .accepted(seq: 6),
            changes: [cube: Balance(sold: 9, adjusted: 2, cap: 10), black: Balance(sold: 6, adjusted: 1, cap: 6)]),
        Row(
            name: "one that the variant has too few for", command: order(("cube", "black", 3)),
            decision: .refused(Shortage(counter: black, asked: 3, left: 2))),
        Row(
            name: "one whose first line has too few, whatever the others have",
            command: order(("cube", "black", 4), ("lamp", nil, 1)),
            decision: .refused(Shortage(counter: cube, asked: 4, left: 3))),
        Row(
            name: "units that come back", command: cancel([SKUUnits(SKU("cube", "black"), 1)]),
            decision: .accepted(seq: 6),
            changes: [cube: Balance(sold: 6, adjusted: 2, cap: 10), black: Balance(sold: 3, adjusted: 1, cap: 6)]),
        Row(
            name: "units that cannot be sold again",
            command: cancel([SKUUnits(SKU("cube", "black"), 9)], restock: false),
            decision: .unchanged,
            changes: [cube: Balance(sold: 7, adjusted: 4, cap: 10), black: Balance(sold: 4, adjusted: 3, cap: 6)]),
        Row(
            name: "units that the order does not own", command: cancel([SKUUnits(SKU("cube", "white"), 1)]),
            decision: .unchanged),
        Row(
            name: "units sold elsewhere, past the cap", command: adjust(SKU("cube", "black"), 9),
            decision: .accepted(seq: 6),
            changes: [cube: Balance(sold: 16, adjusted: 11, cap: 10), black: Balance(sold: 13, adjusted: 10, cap: 6)]),
        Row(
            name: "all of them taken away again", command: adjust(SKU("cube", "black"), -1),
            decision: .accepted(seq: 6),
            changes: [cube: Balance(sold: 6, adjusted: 1, cap: 10), black: Balance(sold: 3, adjusted: 0, cap: 6)]),
    ]

    @Test("decides a command, and changes only the balances of its decision", arguments: rows)
    func decides(_ row: Row) throws {
        var arbiter = Self.arbiter()
        #expect(try arbiter.decide(row.command) == row.decision)
        let changes = Dictionary(uniqueKeysWithValues: arbiter.changes.map { ($0.counter, $0.balance) })
        #expect(changes == row.changes)
        #expect(arbiter.seq == row.decision.seq ?? 5)
    }

    private static let undecidable: [(Command, Arbiter.Undecidable)] = [
        (order(("nothing", nil, 1)), .unknownCounter(.product("nothing"))),
        (cancel(nil, order: "nowhere"), .unknownOrder("nowhere")),
        (adjust(SKU("cube", "black"), -2), .adjustmentTooLarge(black)),
        (adjust(SKU("lamp"), Limit.exactInteger), .adjustmentTooLarge(lamp)),
    ]

    @Test("decides nothing that its balances do not allow, and then changes nothing", arguments: undecidable.indices)
    func decidesNothing(_ index: Int) {
        let (command, reason) = Self.undecidable[index]
        var arbiter = Self.arbiter()
        #expect(throws: reason) { try arbiter.decide(command) }
        #expect(arbiter.changes.isEmpty && arbiter.seq == 5)
    }

    @Test("detects a balance too low for what an order owns, and then takes nothing from the order")
    func miscounted() throws {
        var arbiter = Arbiter(seq: 0)
        arbiter.load(lamp, Balance(sold: 1, cap: nil))
        arbiter.load(order: "o", owns: [SKUUnits(SKU("lamp"), 2)])
        #expect(throws: Arbiter.Undecidable.miscounted(lamp)) { try arbiter.decide(Self.cancel(nil)) }
        #expect(arbiter.owned(by: "o") == [SKUUnits(SKU("lamp"), 2)] && arbiter.changes.isEmpty)
    }

    @Test("confirms only its own decision, on the same movements")
    func confirms() throws {
        guard case .placeOrder(let order) = Self.order(("lamp", nil, 2)) else { return }
        func decided(_ movements: [Movement], _ decision: Decision) -> DecidedCommand {
            DecidedCommand(
                PlannedCommand(.placeOrder(order), movements: movements), decision, decidedAt: "", entryID: "")
        }
        let key = Command.Key(.placeOrder, "new")
        var arbiter = Self.arbiter()
        #expect(throws: Disagreement.command(key, gate: .accepted(seq: 6), ledger: nil)) {
            try arbiter.confirm(decided([Movement(lamp, sold: 1)], .accepted(seq: 6)))
        }
        #expect(arbiter.changes.isEmpty)
        #expect(throws: Never.self) { try arbiter.confirm(decided(order.movements, .accepted(seq: 6))) }
        #expect(throws: Disagreement.command(key, gate: .accepted(seq: 6), ledger: .accepted(seq: 7))) {
            try arbiter.confirm(decided(order.movements, .accepted(seq: 6)))
        }
    }

    @Test("reports what a cancellation takes, given what earlier ones left")
    func takebacks() throws {
        var arbiter = Self.arbiter()
        let first = Cancellation(cancellationID: "c1", orderID: "o", items: [SKUUnits(SKU("cube", "black"), 1)])
        let rest = Cancellation(cancellationID: "c2", orderID: "o")
        func confirm(_ cancellation: Cancellation, _ owned: [SKUUnits], seq: Int64) throws -> [CancellationEffect.Line]
        {
            let movements = CancellationEffect(cancellation, from: owned).movements
            return try arbiter.confirm(
                DecidedCommand(
                    PlannedCommand(.cancel(cancellation), movements: movements), .accepted(seq: seq), decidedAt: "",
                    entryID: ""))
        }
        let (cubes, lamps) = (SKU("cube", "black"), SKU("lamp"))
        #expect(
            try confirm(first, [SKUUnits(cubes, 2), SKUUnits(lamps, 1)], seq: 6)
                == [CancellationEffect.Line(cubes, asked: 1, released: 1)])
        #expect(
            try confirm(rest, [SKUUnits(cubes, 1), SKUUnits(lamps, 1)], seq: 7)
                == [
                    CancellationEffect.Line(cubes, asked: nil, released: 1),
                    CancellationEffect.Line(lamps, asked: nil, released: 1),
                ])
        #expect(arbiter.owned(by: "o")?.map(\.units) == [0, 0])
    }
}
