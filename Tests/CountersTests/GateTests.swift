import Counters
import Domain
import Testing

private let p = CounterName.product("P")
private let q = CounterName.product("Q")
private let v = CounterName.variant("V")
private let w = CounterName.variant("W")

private let most = Limit.exactInteger

/// The counters before, one batch, its decisions, and the fields that differ afterwards.
struct GateCase: Sendable, CustomTestStringConvertible {
    var name: String
    var before: [String: String]
    var batch: [PlannedCommand]
    var answers: [Decision]
    var changed: [String: String]

    var testDescription: String { name }

    init(
        _ name: String, _ before: [String: String], _ batch: [PlannedCommand], _ answers: [Decision],
        _ changed: [String: String] = [:]
    ) {
        self.name = name
        self.before = before
        self.batch = batch
        self.answers = answers
        self.changed = changed
    }
}

@Suite("The gate")
struct GateTests {
    @Test("decides a batch, and changes what it accepted and nothing else", arguments: orders + gives + batches)
    func decides(_ each: GateCase) async throws {
        try await withCounters(each.before) { fixture async throws in
            var after = try await fixture.server.keyspace()
            let seq = each.answers.reduce(CountersFixture.seq) { highest, answer in
                if case .accepted(let seq) = answer { max(highest, seq) } else { highest }
            }
            let answer = try await fixture.store.decide(
                each.batch, epoch: CountersFixture.epoch, seq: CountersFixture.seq)
            #expect(answer == .decided(seq: seq, each.answers))
            var stock = CountersFixture.head.merging(each.before) { _, own in own }
            stock.merge(each.changed) { _, new in new }
            stock["seq"] = String(seq)
            after[fixture.keys.stock] = .hash(stock)
            #expect(try await fixture.server.keyspace() == after)
        }
    }

    static let orders = [
        GateCase(
            "an order that fits", ["sold:p:P": "2", "cap:p:P": "5"], [take((p, 2))], [.accepted(seq: 42)],
            ["sold:p:P": "4"]),
        GateCase(
            "the last units", ["sold:p:P": "2", "cap:p:P": "5"], [take((p, 3))], [.accepted(seq: 42)], ["sold:p:P": "5"]
        ),
        GateCase(
            "one unit more than is left", ["sold:p:P": "2", "cap:p:P": "5"], [take((p, 4))],
            [refused(p, asked: 4, left: 3)]),
        GateCase(
            "sold out", ["sold:p:P": "5", "cap:p:P": "5"], [take((p, 1))], [refused(p, asked: 1, left: 0)]),
        GateCase(
            "both levels", ["sold:p:P": "2", "cap:p:P": "9", "sold:v:V": "1", "cap:v:V": "3"], [take((p, 2), (v, 2))],
            [.accepted(seq: 42)], ["sold:p:P": "4", "sold:v:V": "3"]),
        GateCase(
            "too few of the variant: the product stays, too",
            ["sold:p:P": "2", "cap:p:P": "9", "sold:v:V": "1", "cap:v:V": "3"], [take((p, 3), (v, 3))],
            [refused(v, asked: 3, left: 2)]),
        GateCase(
            "too few at both levels: the product is named",
            ["sold:p:P": "8", "cap:p:P": "9", "sold:v:V": "3", "cap:v:V": "3"], [take((p, 2), (v, 2))],
            [refused(p, asked: 2, left: 1)]),
        GateCase(
            "several lines, of which the first that fails is named, and none is taken",
            [
                "sold:p:P": "0", "cap:p:P": "9", "sold:v:V": "0", "sold:v:W": "2", "cap:v:W": "2", "sold:p:Q": "4",
                "cap:p:Q": "4",
            ], [take((p, 3), (v, 2), (w, 1), (q, 1))], [refused(w, asked: 1, left: 0)]),
        GateCase(
            "no cap is unlimited", ["sold:p:P": "1000000", "sold:v:V": "7"], [take((p, 1_000_000), (v, 1_000_000))],
            [.accepted(seq: 42)], ["sold:p:P": "2000000", "sold:v:V": "1000007"]),
        GateCase(
            "a cap lowered below what is sold leaves 0, not less", ["sold:p:P": "7", "cap:p:P": "4"], [take((p, 1))],
            [refused(p, asked: 1, left: 0)]),
        GateCase(
            "unlimited up to 2^53 − 1", ["sold:p:P": "\(most - 1)"], [take((p, 1))], [.accepted(seq: 42)],
            ["sold:p:P": "\(most)"]),
        GateCase(
            "unlimited ends at 2^53 − 1", ["sold:p:P": "\(most - 1)"], [take((p, 2))], [refused(p, asked: 2, left: 1)]),
        GateCase(
            "a cap of 2^53 − 1 is kept exactly", ["sold:p:P": "\(most - 3)", "cap:p:P": "\(most)"],
            [take((p, 3)), take((p, 1))], [.accepted(seq: 42), refused(p, asked: 1, left: 0)], ["sold:p:P": "\(most)"]),
        GateCase(
            "numbers beyond 10^15 are written without an exponent", ["sold:p:P": "1000000000000000"], [take((p, 1))],
            [.accepted(seq: 42)], ["sold:p:P": "1000000000000001"]),
        GateCase(
            "closed is the catalogue's matter, not the gate's", ["sold:p:P": "0", "cap:p:P": "1", "closed:p:P": "1"],
            [take((p, 1))], [.accepted(seq: 42)], ["sold:p:P": "1"]),
        GateCase(
            "a product and a variant of the same id are two counters", ["sold:p:P": "0", "sold:v:P": "5"],
            [take((p, 1))], [.accepted(seq: 42)], ["sold:p:P": "1"]),
        GateCase(
            "ids that differ by case are two counters", ["sold:p:P": "0", "sold:p:p": "5"], [take((p, 1))],
            [.accepted(seq: 42)], ["sold:p:P": "1"]),
    ]

    static let gives = [
        GateCase(
            "units that come back", ["sold:p:P": "5", "cap:p:P": "5", "sold:v:V": "4"], [give((p, 2), (v, 2))],
            [.accepted(seq: 42)], ["sold:p:P": "3", "sold:v:V": "2"]),
        GateCase(
            "units that come back under a lowered cap", ["sold:p:P": "9", "cap:p:P": "4"], [give((p, 1))],
            [.accepted(seq: 42)], ["sold:p:P": "8"]),
        GateCase(
            "nothing comes back: no seq", ["sold:p:P": "9"], [give(), take((p, 1))], [.unchanged, .accepted(seq: 42)],
            ["sold:p:P": "10"]),
        GateCase(
            "units that are sold already, past the cap", ["sold:p:P": "5", "cap:p:P": "5"],
            [add((p, 2)), take((p, 1))],
            [.accepted(seq: 42), refused(p, asked: 1, left: 0)], ["sold:p:P": "7"]),
        GateCase(
            "units that no order loses: nothing that the gate counts", ["sold:p:P": "5"],
            [
                PlannedCommand(
                    .cancel(Cancellation(cancellationID: "c", orderID: "o", restock: false)),
                    movements: [Movement(p, adjusted: 2)])
            ], [.unchanged]),
        GateCase(
            "as many units as come in one, two, four and eight bytes",
            ["sold:p:P": "100000000000", "sold:v:V": "100000000000"],
            [1, 200, 70_000, 5_000_000_000].flatMap { [add((p, $0)), give((v, $0))] },
            (42...49).map { .accepted(seq: $0) }, ["sold:p:P": "105000070201", "sold:v:V": "94999929799"]),
    ]

    static let batches = [
        GateCase("an empty batch", ["sold:p:P": "9"], [], []),
        GateCase(
            "the first takes the last unit", ["sold:p:P": "4", "cap:p:P": "5"], [take((p, 1)), take((p, 1))],
            [.accepted(seq: 42), refused(p, asked: 1, left: 0)], ["sold:p:P": "5"]),
        GateCase(
            "a large order is refused, a smaller one after it fits", ["sold:p:P": "0", "cap:p:P": "5"],
            [take((p, 6)), take((p, 5))], [refused(p, asked: 6, left: 5), .accepted(seq: 42)], ["sold:p:P": "5"]),
        GateCase(
            "what comes back is there for the next", ["sold:p:P": "5", "cap:p:P": "5"], [give((p, 1)), take((p, 1))],
            [.accepted(seq: 42), .accepted(seq: 43)], ["sold:p:P": "5"]),
        GateCase(
            "what comes back is not there for the one before", ["sold:p:P": "5", "cap:p:P": "5"],
            [take((p, 1)), give((p, 1))], [refused(p, asked: 1, left: 0), .accepted(seq: 42)], ["sold:p:P": "4"]),
        GateCase(
            "a refusal takes no seq", ["sold:p:P": "0", "cap:p:P": "1", "sold:p:Q": "0"],
            [take((q, 1)), take((p, 2)), take((q, 1))],
            [.accepted(seq: 42), refused(p, asked: 2, left: 1), .accepted(seq: 43)], ["sold:p:Q": "2"]),
    ]

    @Test("sums an order's lines before it compares them with a cap")
    func unitsAreSummed() async throws {
        try await withCounters(["sold:p:P": "0", "cap:p:P": "5", "sold:v:V": "0", "sold:v:W": "0"]) {
            fixture async throws in
            let order = Order(
                Checkout(
                    orderID: "o",
                    items: [
                        .init(productID: "P", variantID: "V", units: 3, unitPrice: 1),
                        .init(productID: "P", variantID: "W", units: 3, unitPrice: 1),
                    ]))
            let answer = try await fixture.store.decide(
                [PlannedCommand(.placeOrder(order), movements: order.movements)], epoch: CountersFixture.epoch,
                seq: CountersFixture.seq)
            #expect(answer == .decided(seq: 41, [refused(p, asked: 6, left: 5)]))
            #expect(try await fixture.stock()?["sold:v:V"] == "0")
        }
    }

    @Test("keeps ids apart that differ only in how an accent is composed")
    func composition() async throws {
        let (composed, decomposed) = (CounterName.product("caf\u{E9}"), CounterName.product("cafe\u{301}"))
        try await withCounters(["sold:p:caf\u{E9}": "0"]) { fixture async throws in
            // Swift dictionaries consider the two keys equal.
            try await fixture.server.command("HSET", fixture.keys.stock, "sold:p:cafe\u{301}", "5")
            let answer = try await fixture.store.decide(
                [take((composed, 1)), take((decomposed, 2))], epoch: CountersFixture.epoch, seq: CountersFixture.seq)
            #expect(answer == .decided(seq: 43, [.accepted(seq: 42), .accepted(seq: 43)]))
            #expect(try await fixture.reader.snapshot([composed, decomposed]).counters.map(\.state.sold) == [1, 7])
        }
    }

    @Test("continues from its latest seq")
    func chain() async throws {
        try await withCounters(["sold:p:P": "0", "cap:p:P": "2"]) { fixture async throws in
            let store = fixture.store
            let first = try await store.decide([take((p, 1))], epoch: 7, seq: 41)
            let second = try await store.decide([take((p, 1))], epoch: 7, seq: 42)
            let late = try await store.decide([take((p, 1))], epoch: 7, seq: 41)
            #expect(first == .decided(seq: 42, [.accepted(seq: 42)]))
            #expect(second == .decided(seq: 43, [.accepted(seq: 43)]))
            #expect(late == .fenced(what: "seq", found: CounterHead(ledger: "L", epoch: 7, seq: 43)))
        }
    }
}
