import Foundation
import Domain
import Ledger
import LedgerSamples
import Randomness
import Testing

@testable import MemoryLedger

/// Two ledgers of different backends that go through the same history.
private struct TwinHistory {
    let twins: [LedgerFixture]
    var random: SeededGenerator
    private var catalogue = Catalogue.sample
    private var entries = 0

    init(_ twins: [LedgerFixture], seed: UInt64) {
        self.twins = twins
        random = SeededGenerator(seed: seed)
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// Does the same to both, and compares their results, or checks that both refuse.
    private func both<T>(_ what: String, _ body: (LedgerFixture) async throws -> T) async throws {
        var answers: [String] = []
        for twin in twins {
            do {
                answers.append(String(reflecting: try await body(twin)))
            } catch {
                answers.append("an error")
            }
        }
        try #require(answers[0] == answers[1], "\(what)")
    }

    // MARK: - Records

    private mutating func id(_ prefix: String) -> Identifier { Identifier("\(prefix)\(number(0...24))") }

    private mutating func sku() -> SKU {
        pick([SKU("cube", "black"), SKU("cube", "white"), SKU("sheet"), SKU("kit"), SKU("cube"), SKU("none")])
    }

    private mutating func payment(of id: Identifier?) -> Payment {
        Payment(
            orderID: id, intentID: pick(["pi_1", "pi_2", "", nil]),
            amount: pick([nil, 0, -3, 100, 2_000_000, Limit.exactInteger]), isWorkedOut: random.chance(30),
            currency: pick(["usd", "EUR", "eur", nil, "o'clock", "£££"]))
    }

    private mutating func letter() -> BatchRecord<DecidedCommand> {
        let id: Identifier? = random.chance(70) ? self.id("o") : nil
        let reason = pick([
            DeadLetterReason.orderConflict, .missingField, .unknownOrder, .unknownOrder, .productClosed, .invalidJSON,
        ])
        // Some are repeated.
        if random.chance(85) { entries += 1 }
        return deadLetter(
            "\(entries)-0", fingerprint: [UInt8(number(1...2))], reason: reason,
            payload: random.chance(80) ? [1, 2, 3] : nil, isWhole: random.chance(85), orderID: id,
            payment: random.chance(60) ? payment(of: id) : nil)
    }

    private mutating func command() -> Command {
        switch number(0...11) {
        case 0...5:
            // The consumer's planner rejects orders with unknown products unless they were already decided.
            let items = (0...number(0...2)).map { line in
                let sku = line == 0 ? sku() : pick([SKU("cube", "black"), SKU("sheet"), SKU("kit")])
                return Checkout.Item(
                    productID: sku.productID, variantID: sku.variantID, units: Int64(number(1...4)),
                    unitPrice: Int64(number(0...3)), productName: random.chance(30) ? "name" : nil)
            }
            return .placeOrder(
                Order(
                    Checkout(
                        orderID: id("o"), paymentIntentID: pick(["pi_1", "pi_2", nil]),
                        customer: random.chance(50) ? .init(email: "a@example.com") : nil,
                        currency: pick(["usd", "eur", nil]), total: pick([nil, 0, 77]), items: items)))
        case 6...7:
            return .cancel(
                Cancellation(
                    cancellationID: id("c"), orderID: id("o"),
                    items: random.chance(50) ? nil : [SKUUnits(sku(), Int64(number(1...5)))],
                    restock: random.chance(70)))
        case 8...9:
            return .refund(
                Refund(
                    refundID: id("r"), orderID: id("o"), paymentIntentID: pick(["pi_1", "pi_2", nil, nil]),
                    amount: pick([nil, 1, 50, 77, 1_000]), currency: pick(["usd", nil])))
        default:
            return .adjust(
                Adjustment(adjustmentID: id("a"), sku: sku(), units: Int64(pick([1, 2, 9, -1, -3])), reason: "why"))
        }
    }

    /// A batch as decided by a gate whose counters are usually right.
    private mutating func batch() async throws -> JournalBatch {
        let ledger = twins[0].ledger
        let head = try await ledger.head()
        var arbiter = Arbiter(seq: head.seq)
        let names = try await ledger.counterNames(after: nil, limit: 99).names
        let prior = try await ledger.priorState(
            for: BatchLookup(orders: (0...24).map { Identifier("o\($0)") }, adjustedCounters: names))
        for (counter, balance) in prior.balances { arbiter.load(counter, balance) }
        for (order, owned) in prior.owned { arbiter.load(order: order, owns: owned) }
        var records: [BatchRecord<DecidedCommand>] = []
        var placed: Set<Identifier> = []
        for _ in 0..<number(1...5) {
            guard random.chance(70) else {
                records.append(letter())
                continue
            }
            let command = command()
            // A batch has no cancellation beside its order, and at most one per order.
            let order = command.ids.order
            if let order, !placed.insert(order).inserted { continue }
            // Refunds come first.
            if case .refund = command, !records.allSatisfy({ $0.command?.command.kind == .refund }) { continue }
            let movements: [Movement] =
                switch command {
                case .placeOrder(let order): order.movements
                case .cancel(let cancellation):
                    CancellationEffect(cancellation, from: prior.owned[cancellation.orderID] ?? []).movements
                case .adjust(let adjustment): adjustment.movements
                case .refund: []
                }
            let decision = (try? arbiter.decide(command)) ?? .accepted(seq: arbiter.seq + 1)
            records.append(
                .command(
                    DecidedCommand(
                        PlannedCommand(command, movements: movements),
                        random.chance(4) ? .accepted(seq: 99) : decision, decidedAt: "2026-11-22T10:00:00.000Z",
                        entryID: "9-0")))
        }
        let wanted = try await ledger.requestedReplays(limit: 9).map(\.number)
        return JournalBatch(
            epoch: head.epoch + (random.chance(3) ? 1 : 0), catalogueVersion: head.catalogueVersion,
            seqBefore: head.seq, records: records,
            attemptsOver: [EntryIdentity(entryID: "\(number(1...3))-0", fingerprint: [1])],
            replayed: wanted.isEmpty ? [] : [pick(wanted)])
    }

    // MARK: - Steps

    private mutating func change(_ catalogue: inout Catalogue) {
        switch number(0...5) {
        case 0: catalogue.products[0].cap = pick([nil, 4, 12])
        case 1:
            guard !catalogue.products[0].variants.isEmpty else { return }
            catalogue.products[0].variants[0].cap = pick([nil, 2, 7])
        case 2: if catalogue.products.count > 2 { catalogue.products.removeLast() }
        case 3: catalogue = .sample
        case 4: catalogue.products.swapAt(0, 1)
        default: catalogue.products[1].longDescription = String(repeating: "x", count: number(0...40))
        }
    }

    mutating func step() async throws {
        let (letters, orders) = ((0...number(0...2)).map { _ in Int64(number(1...12)) }, [id("o"), id("o")])
        switch number(0...19) {
        case 0: try await both("replay") { try await $0.ledger.replay(.numbers(letters)) }
        case 1:
            let reason = pick(["missing_field", "invalid_json"])
            try await both("replay") { try await $0.ledger.replay(.reason(reason)) }
        case 2: try await both("discard") { try await $0.ledger.discard(.numbers(letters)) }
        case 3: try await both("erase") { try await $0.ledger.erase(orders) }
        case 4, 5:
            var changed = catalogue
            change(&changed)
            try await both("changes") { [changed] in try await $0.ledger.changes(by: changed) }
            try await both("sync") { [changed] in try await $0.ledger.sync(changed) }
            catalogue = changed
        case 6:
            let version = Int64(number(0...3))
            try await both("epoch") { twin in
                let start = try await twin.ledger.raiseEpoch(catalogueBefore: version, reason: "r")
                let counters = start.counters.map { "\($0)" }.sorted()
                return "\(start.head) \(counters) \(start.changedProducts.map(\.text).sorted())"
            }
        case 7:
            let counter = pick([CounterName.product("cube"), .variant("black"), .product("sheet")])
            for twin in twins { try twin.set(counter, sold: 1) }
            try await both("miscounts") { try await $0.ledger.repairMiscounts(reason: "r") }
        case 8:
            let key = EntryIdentity(entryID: "\(number(1...3))-0", fingerprint: [1])
            for twin in twins { try await twin.ledger.noteAttempt(key) }
            try await both("attempts") { try await $0.ledger.attempts(key) }
        case 9: try await both("erasure") { try await $0.ledger.completeErasure() }
        default:
            let batch = try await batch()
            try await both("\(batch)") { try await $0.ledger.record(batch) }
        }
    }

    /// Compares both, without the times of their actions.
    func compare() async throws {
        var contents: [[String]] = []
        for twin in twins {
            contents.append(
                try await twin.contents().map { $0.replacing(/\d{4}-\d\d-\d\dT[0-9:.]+Z/, with: "a time") })
        }
        for (one, other) in zip(contents[0], contents[1]) { try #require(one == other) }
        try #require(contents[0].count == contents[1].count)
    }
}

@Suite struct SameHistoryTests {
    @Test("Whatever happens to a ledger, it ends up the same in SQLite and in memory")
    func histories() async throws {
        let given = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SEED"].flatMap { UInt64($0) }
        let first = given ?? UInt64.random(in: 0..<1 << 32)
        for seed in first..<first + (given == nil ? 8 : 1) {
            try await withLedger(on: .sqlite) { sqlite in
                try await withLedger(on: .memory) { memory in
                    var history = TwinHistory([sqlite, memory], seed: seed)
                    for step in 0..<60 {
                        do {
                            try await history.step()
                            try await history.compare()
                        } catch {
                            Issue.record("step \(step); STOCKTAKE_TEST_SEED=\(seed)")
                            throw error
                        }
                    }
                }
            }
        }
    }
}
