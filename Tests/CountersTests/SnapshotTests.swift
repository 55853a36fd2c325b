import Counters
import Domain
import LuaScripts
import RedisClient
import Testing

private let p = CounterName.product("P")
private let v = CounterName.variant("V")

@Suite("A snapshot")
struct SnapshotTests {
    /// The counter's fields, and the state read from them.
    private static let states: [(String, [String: String], CounterState)] = [
        (
            "all fields", ["sold:p:P": "5", "cap:p:P": "9", "closed:p:P": "1"],
            CounterState(sold: 5, cap: 9, isActive: false)
        ),
        ("unlimited and open", ["sold:p:P": "5"], CounterState(sold: 5, cap: nil, isActive: true)),
        ("unknown, which is not 0", ["cap:p:P": "9"], CounterState(sold: nil, cap: 9, isActive: true)),
        ("nothing", [:], CounterState(sold: nil, cap: nil, isActive: true)),
        ("the variant's fields only", ["sold:v:P": "5"], CounterState(sold: nil, cap: nil, isActive: true)),
        ("below 0", ["sold:p:P": "-2"], CounterState(sold: -2, cap: nil, isActive: true)),
        (
            "2^53 − 1", ["sold:p:P": "9007199254740991", "cap:p:P": "9007199254740991"],
            CounterState(sold: Limit.exactInteger, cap: Limit.exactInteger, isActive: true)
        ),
        (
            "a sold field that is no number is unknown", ["sold:p:P": "x"],
            CounterState(sold: nil, cap: nil, isActive: true)
        ),
        (
            "a cap that is no number is not unlimited", ["sold:p:P": "5", "cap:p:P": "x"],
            CounterState(sold: 5, cap: -1, isActive: true)
        ),
    ]

    @Test("returns a counter's state unchanged, and changes nothing", arguments: states.indices)
    func figures(_ index: Int) async throws {
        let (name, fields, state) = Self.states[index]
        try await withCounters(fields) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let snapshot = try await fixture.reader.snapshot([p])
            #expect(snapshot.counters.map(\.name) == [p] && snapshot.counters.map(\.state) == [state], "\(name)")
            #expect(snapshot.fields == Int64(CountersFixture.head.count + fields.count), "\(name)")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("includes the state it belongs to")
    func head() async throws {
        try await withCounters(["sold:p:P": "5", "sold:v:V": "3"]) { fixture async throws in
            let head = CounterHead(
                ledger: "L", epoch: 7, seq: 41, settled: 41, recorded: 60, catalogue: 3, announced: 63)
            let snapshot = try await fixture.reader.snapshot([v, p, v])
            #expect(snapshot.head == head)
            #expect(snapshot.counters.map(\.state.sold) == [3, 5, 3])
            #expect(try await fixture.reader.head() == head)
            #expect(try await fixture.store.head() == head)
            #expect(!head.isEmpty)
        }
    }

    @Test("says so if nothing is installed")
    func empty() async throws {
        try await withCounters(nil) { fixture async throws in
            let snapshot = try await fixture.reader.snapshot([p])
            #expect(snapshot.head == CounterHead() && snapshot.head.isEmpty && snapshot.fields == 0)
            #expect(snapshot.counters.map(\.state) == [CounterState(sold: nil, cap: nil, isActive: true)])
            #expect(try await fixture.reader.head() == CounterHead())
        }
    }

    @Test("of no counters is the head alone")
    func noCounters() async throws {
        try await withCounters(["sold:p:P": "5"]) { fixture async throws in
            let snapshot = try await fixture.reader.snapshot([])
            #expect(snapshot.counters.isEmpty && snapshot.head.seq == 41 && snapshot.fields == 8)
        }
    }

    @Test("accepts 1,000 counters and refuses more")
    func size() async throws {
        try await withCounters(["sold:p:999": "7"]) { fixture async throws in
            let names = (0...1_000).map { CounterName.product(Identifier("\($0)")) }
            #expect(try await fixture.reader.snapshot(names.prefix(1_000)).counters.last?.state.sold == 7)
            let error = try await replyError { _ = try await fixture.reader.snapshot(names) }
            #expect(error?.message.contains("at most 1,000 counters") == true)
        }
    }

    @Test("is an error when the key is not a hash")
    func wrongType() async throws {
        try await withCounters(nil) { fixture async throws in
            try await fixture.server.command("SET", fixture.keys.stock, "text")
            let snapshot = try await replyError { _ = try await fixture.reader.snapshot([p]) }
            let head = try await replyError { _ = try await fixture.reader.head() }
            #expect(snapshot?.code == "WRONGTYPE" && head?.code == "WRONGTYPE")
        }
    }
}
