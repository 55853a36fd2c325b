import Counters
import Domain
import LuaScripts
import Randomness
import Testing

/// gate.lua is the arbiter's fast copy: for any input, both decide like a sequential judge that processes one command
/// after the other and knows nothing of batches.
@Suite("The gate and the arbiter")
struct GateArbiterTests {
    private static let decisions = 1_000_000
    private static let batchSize = 1_000
    private static let batchesPerShop = 4

    @Test("decide a million random commands alike, and as the sequential judge does")
    func agree() async throws {
        try await withCounters([:]) { fixture async throws in
            var generator = SeededGenerator(seed: .random(in: 0..<1 << 32))
            let seed = generator.seed
            let pool = OrderPool(&generator, count: Self.batchSize * Self.batchesPerShop)
            var tally: [String: Int] = [:]
            var done = 0
            while done < Self.decisions {
                var shop = RandomShop(pool, &generator)
                try await fixture.install(shop.judge)
                for _ in 0..<Self.batchesPerShop {
                    let batch = shop.nextBatch(Self.batchSize, &generator)
                    let arbiter = try shop.arbitrate(batch)
                    let gate = try await fixture.store.decide(
                        batch.planned, epoch: CountersFixture.epoch, seq: batch.seqBefore)
                    try Self.compare(batch, gate: gate, arbiter: arbiter, seed: seed)
                    try #require(shop.balances == shop.judge.balances, "seed \(seed)")
                    for decision in batch.expected { tally[decision.word, default: 0] += 1 }
                    done += batch.commands.count
                }
                let sold = try await fixture.stock()?.filter { $0.key.hasPrefix("sold:") }
                try #require(sold == shop.judge.fields.filter { $0.key.hasPrefix("sold:") }, "seed \(seed)")
            }
            // A test in which nothing was refused would prove little.
            for word in ["accepted", "unchanged", "sold_out", "insufficient"] {
                #expect(tally[word, default: 0] > Self.decisions / 200, "\(word): \(tally)")
            }
        }
    }

    /// Compares one by one: a single difference in a thousand decisions cannot be found by eye.
    private static func compare(
        _ batch: RandomShop.Batch, gate: GateResult, arbiter: [Decision], seed: UInt64
    ) throws {
        guard case .decided(_, let gate) = gate, gate.count == batch.expected.count else {
            Issue.record("seed \(seed): \(gate)")
            return
        }
        for (place, expected) in batch.expected.enumerated()
        where gate[place] != expected || arbiter[place] != expected {
            throw Difference(
                description: """
                    seed \(seed), \(batch.commands[place]): gate \(gate[place]), arbiter \(arbiter[place]), \
                    judge \(expected)
                    """)
        }
    }

    private struct Difference: Error, CustomStringConvertible {
        var description: String
    }

    @Test("an adjustment that takes away more than was added has no decision, and changes nothing")
    func tooLarge() throws {
        var generator = SeededGenerator(seed: .random(in: 0..<1 << 32))
        for _ in 0..<20_000 {
            let sold = generator.next(upTo: 20)
            let adjusted = generator.next(upTo: sold + 1)
            let units = 1 + generator.next(upTo: 20)
            var arbiter = Arbiter(seq: 0)
            let before = Balance(sold: sold, adjusted: adjusted, cap: nil)
            arbiter.load(.product("P"), before)
            let adjustment = Adjustment(adjustmentID: "A", sku: SKU("P"), units: -units, reason: "r")
            if units <= adjusted {
                #expect(try arbiter.decide(.adjust(adjustment)) == .accepted(seq: 1))
                #expect(arbiter.balance(of: .product("P"))?.adjusted == adjusted - units)
            } else {
                #expect(throws: Arbiter.Undecidable.adjustmentTooLarge(.product("P"))) {
                    try arbiter.decide(.adjust(adjustment))
                }
                #expect(arbiter.balance(of: .product("P")) == before && arbiter.seq == 0)
            }
        }
    }
}

/// Orders that are reused by many shops: computing the digests of a thousand new ones costs more than deciding them.
private struct OrderPool {
    static let products: [Identifier] = ["P0", "P1", "P2", "P3"]
    /// P0 and P1 have variants.
    static let variants: [Identifier: [Identifier]] = ["P0": ["V00", "V01", "V02"], "P1": ["V10", "V11"]]

    static var counters: [CounterName] {
        products.map { .product($0) } + variants.values.joined().map { .variant($0) }
    }

    let orders: [Order]

    init(_ generator: inout SeededGenerator, count: Int) {
        orders = (0..<count).map { number in
            let lines = (0...generator.next(upTo: 3)).map { _ in
                let sku = Self.sku(&generator)
                return Checkout.Line(
                    productID: sku.productID, variantID: sku.variantID,
                    units: 1 + generator.next(upTo: generator.chance(10) ? 40 : 3), unitPrice: 1)
            }
            return Order(Checkout(orderID: Identifier("o\(number)"), lines: lines, texts: TextSlices(capacity: 0)))
        }
    }

    static func sku(_ generator: inout SeededGenerator) -> SKU {
        let product = products[Int(generator.next(upTo: 4))]
        guard let variants = variants[product] else { return SKU(product) }
        return SKU(product, variants[Int(generator.next(upTo: Int64(variants.count)))])
    }
}

/// Decides commands strictly one by one, by the rules of README.md, with code shared with neither side.
private struct PlainJudge {
    var sold: [CounterName: Int64] = [:]
    var adjusted: [CounterName: Int64] = [:]
    var caps: [CounterName: Int64] = [:]
    var owned: [Identifier: [SKU: Int64]] = [:]
    var seq: Int64

    var balances: [CounterName: Balance] {
        sold.reduce(into: [:]) { all, each in
            all[each.key] = Balance(sold: each.value, adjusted: adjusted[each.key] ?? 0, cap: caps[each.key])
        }
    }

    /// The counters' fields as in Redis.
    var fields: [String: String] {
        var fields: [String: String] = [:]
        for (counter, units) in sold { fields["sold:\(counter.field)"] = "\(units)" }
        for (counter, cap) in caps { fields["cap:\(counter.field)"] = "\(cap)" }
        return fields
    }

    mutating func place(_ order: Order) -> Decision {
        var asked: [CounterName: Int64] = [:]
        for line in order.checkout.lines {
            for counter in line.sku.counters { asked[counter, default: 0] += line.units }
        }
        for line in order.checkout.lines {
            for counter in line.sku.counters {
                let left = max((caps[counter] ?? Limit.exactInteger) - sold[counter, default: 0], 0)
                if asked[counter, default: 0] > left {
                    owned[order.id] = [:]
                    return .refused(Shortage(counter: counter, asked: asked[counter, default: 0], left: left))
                }
            }
        }
        for line in order.checkout.lines {
            owned[order.id, default: [:]][line.sku, default: 0] += line.units
            for counter in line.sku.counters { sold[counter, default: 0] += line.units }
        }
        return next()
    }

    mutating func cancel(_ cancellation: Cancellation) -> Decision {
        var released: [SKU: Int64] = [:]
        if let items = cancellation.items {
            for item in items {
                let left = (owned[cancellation.orderID]?[item.sku] ?? 0) - released[item.sku, default: 0]
                released[item.sku, default: 0] += min(item.units, left)
            }
        } else {
            released = owned[cancellation.orderID] ?? [:]
        }
        var isRestocked = false
        for (sku, units) in released where units > 0 {
            owned[cancellation.orderID]?[sku, default: 0] -= units
            for counter in sku.counters {
                if cancellation.restock {
                    sold[counter, default: 0] -= units
                    isRestocked = true
                } else {
                    adjusted[counter, default: 0] += units
                }
            }
        }
        return isRestocked ? next() : .unchanged
    }

    /// The units that an order still owns, each SKU once; a SKU that was cancelled counts as 0.
    func owns(_ order: Order) -> [SKUUnits] {
        let owns = owned[order.id] ?? [:]
        return order.checkout.lines.map { SKUUnits($0.sku, $0.units) }.summed.compactMap { line in
            owns[line.sku].map { SKUUnits(line.sku, $0) }
        }
    }

    mutating func adjust(_ adjustment: Adjustment) -> Decision {
        for counter in adjustment.sku.counters {
            sold[counter, default: 0] += adjustment.units
            adjusted[counter, default: 0] += adjustment.units
        }
        return next()
    }

    private mutating func next() -> Decision {
        seq += 1
        return .accepted(seq: seq)
    }
}

/// A shop with random counters and caps, and the commands sent to it.
private struct RandomShop {
    struct Batch {
        var commands: [Command] = []
        /// The commands as the planner passes them to the gate.
        var planned: [PlannedCommand] = []
        var expected: [Decision] = []
        var seqBefore: Int64
    }

    private(set) var judge = PlainJudge(seq: CountersFixture.seq)
    /// The balances as in the ledger, computed by the arbiters.
    private(set) var balances: [CounterName: Balance] = [:]
    private var owned: [Identifier: [SKUUnits]] = [:]
    private var coming: ArraySlice<Order>
    private var placed: [Order] = []
    private var number = 0

    init(_ pool: OrderPool, _ generator: inout SeededGenerator) {
        coming = pool.orders[...]
        // Small, none, or as large as a counter can be.
        for counter in OrderPool.counters {
            judge.sold[counter] = 0
            switch generator.next(upTo: 10) {
            case 0..<6: judge.caps[counter] = generator.next(upTo: 2_500)
            case 6: judge.caps[counter] = Limit.exactInteger
            case 7:
                let sold = Limit.exactInteger - 200_000
                judge.sold[counter] = sold
                judge.adjusted[counter] = sold
            default: break
            }
        }
        balances = judge.balances
    }

    /// Lets a new arbiter decide a batch, and keeps its resulting balances, as recording does.
    mutating func arbitrate(_ batch: Batch) throws -> [Decision] {
        var arbiter = Arbiter(seq: batch.seqBefore)
        for (counter, balance) in balances { arbiter.load(counter, balance) }
        for (order, units) in owned { arbiter.load(order: order, owns: units) }
        var decisions: [Decision] = []
        for command in batch.commands { decisions.append(try arbiter.decide(command)) }
        for (counter, balance) in arbiter.changes { balances[counter] = balance }
        for order in owned.keys { owned[order] = arbiter.owned(by: order) }
        // Orders of this batch can be cancelled from the next batch on.
        for order in placed where owned[order.id] == nil {
            owned[order.id] = judge.owns(order)
        }
        return decisions
    }

    mutating func nextBatch(_ size: Int, _ generator: inout SeededGenerator) -> Batch {
        var batch = Batch(seqBefore: judge.seq)
        let cancellable = placed
        for _ in 0..<size {
            number += 1
            let kind = generator.next(upTo: 10)
            if kind < 2, !cancellable.isEmpty {
                cancel(cancellable[Int(generator.next(upTo: Int64(cancellable.count)))], &batch, &generator)
            } else if kind == 2 {
                adjust(&batch, &generator)
            } else if let order = coming.popFirst() {
                place(order, &batch)
            }
        }
        return batch
    }

    private mutating func place(_ order: Order, _ batch: inout Batch) {
        placed.append(order)
        batch.commands.append(.placeOrder(order))
        batch.planned.append(PlannedCommand(.placeOrder(order), movements: order.movements))
        batch.expected.append(judge.place(order))
    }

    private mutating func cancel(_ order: Order, _ batch: inout Batch, _ generator: inout SeededGenerator) {
        let items: [SKUUnits]? =
            generator.chance(50)
            ? nil
            : (0...generator.next(upTo: 2)).map { _ in
                SKUUnits(OrderPool.sku(&generator), 1 + generator.next(upTo: 4))
            }
        let cancellation = Cancellation(
            cancellationID: Identifier("c\(number)"), orderID: order.id, items: items, restock: generator.chance(80))
        // Based on what the order owned before.
        let movements = CancellationEffect(cancellation, from: judge.owns(order)).movements
        let decision = judge.cancel(cancellation)
        batch.commands.append(.cancel(cancellation))
        batch.planned.append(PlannedCommand(.cancel(cancellation), movements: movements))
        batch.expected.append(decision)
    }

    /// Some units more, or fewer by at most the units that no order owns.
    private mutating func adjust(_ batch: inout Batch, _ generator: inout SeededGenerator) {
        let sku = OrderPool.sku(&generator)
        var units = 1 + generator.next(upTo: 5)
        let least = sku.counters.map { judge.adjusted[$0, default: 0] }.min() ?? 0
        if generator.chance(50), least > 0 { units = -min(units, least) }
        let adjustment = Adjustment(
            adjustmentID: Identifier("a\(number)"), sku: sku, units: units, reason: "counted")
        batch.commands.append(.adjust(adjustment))
        batch.planned.append(PlannedCommand(.adjust(adjustment), movements: adjustment.movements))
        batch.expected.append(judge.adjust(adjustment))
    }
}

extension CountersFixture {
    /// Replaces the counters with a shop's.
    fileprivate func install(_ judge: PlainJudge) async throws {
        try await server.command("DEL", keys.stock)
        try await set(Self.head.merging(judge.fields) { _, own in own }, in: keys.stock)
    }
}

extension Decision {
    fileprivate var word: String {
        switch self {
        case .accepted: "accepted"
        case .unchanged: "unchanged"
        case .refused(let shortage): shortage.reason.rawValue
        }
    }
}

extension SeededGenerator {
    /// 0 … `bound` − 1.
    fileprivate mutating func next(upTo bound: Int64) -> Int64 { .random(in: 0..<bound, using: &self) }
}
