import Counters
import Domain
import RedisClient
import Testing

@Suite("The gate's slices")
struct GateSizeTests {
    /// More than two slices of 4,000 fields when read, and more than one when written.
    private static let many = (0..<4_500).map { CounterName.product(Identifier("product-\($0)")) }

    private static func fields(sold: Int, cap: Int?) -> [String: String] {
        var fields: [String: String] = [:]
        for name in many {
            fields["sold:p:\(name.id)"] = String(sold)
            if let cap { fields["cap:p:\(name.id)"] = String(cap) }
        }
        return fields
    }

    @Test("accept thousands of counters, each named once by a separate order")
    func manyCounters() async throws {
        try await withCounters(Self.fields(sold: 3, cap: 5)) { fixture async throws in
            let batch = Self.many.enumerated().map { index, name in take((name, Int64(index % 3) + 1)) }
            let answer = try await fixture.store.decide(batch, epoch: 7, seq: 41)
            // Of 1, 2 and 3 units, the third does not fit.
            #expect(answer == .decided(seq: 41 + 3_000, Self.expectedAnswers()))
            var stock = CountersFixture.head.merging(Self.fields(sold: 3, cap: 5)) { _, own in own }
            for (index, name) in Self.many.enumerated() where index % 3 < 2 {
                stock["sold:p:\(name.id)"] = String(4 + index % 3)
            }
            stock["seq"] = "3041"
            let found = try await fixture.stock()
            // Not compared within #expect, which would describe thousands of fields.
            let isSame = found == stock
            #expect(isSame)
        }
    }

    private static func expectedAnswers() -> [Decision] {
        var seq: Int64 = 41
        return many.enumerated().map { index, name in
            if index % 3 == 2 { return refused(name, asked: 3, left: 2) }
            seq += 1
            return .accepted(seq: seq)
        }
    }

    @Test("accept far more movements than Lua can unpack at once")
    func manyMovements() async throws {
        try await withCounters(Self.fields(sold: 0, cap: nil)) { fixture async throws in
            let everything = take(Self.many.map { ($0, 2) })
            let back = give(Self.many.map { ($0, 1) })
            let answer = try await fixture.store.decide([everything, everything, back], epoch: 7, seq: 41)
            #expect(answer == .decided(seq: 44, [.accepted(seq: 42), .accepted(seq: 43), .accepted(seq: 44)]))
            var stock = CountersFixture.head.merging(Self.fields(sold: 3, cap: nil)) { _, own in own }
            stock["seq"] = "44"
            let isSame = try await fixture.stock() == stock
            #expect(isSame)
        }
    }

    @Test("work at their boundaries", arguments: [1_999, 2_000, 2_001, 3_999, 4_000, 4_001])
    func edges(_ count: Int) async throws {
        try await withCounters(Self.fields(sold: 0, cap: 9)) { fixture async throws in
            let names = Self.many.prefix(count)
            let answer = try await fixture.store.decide(
                [take(names.map { ($0, 1) })], epoch: 7, seq: 41)
            #expect(answer == .decided(seq: 42, [.accepted(seq: 42)]))
            var stock = CountersFixture.head.merging(Self.fields(sold: 0, cap: 9)) { _, own in own }
            for name in names { stock["sold:p:\(name.id)"] = "1" }
            stock["seq"] = "42"
            let isSame = try await fixture.stock() == stock
            #expect(isSame)
        }
    }

    @Test("are all read before anything is decided: a missing field in the last slice fences the batch")
    func missingInLastSlice() async throws {
        var fields = Self.fields(sold: 0, cap: nil)
        fields["sold:p:product-4499"] = nil
        try await withCounters(fields) { fixture async throws in
            let before = try await fixture.stock()
            let answer = try await fixture.store.decide(Self.many.map { take(($0, 1)) }, epoch: 7, seq: 41)
            #expect(
                answer == .fenced(what: "sold:p:product-4499", found: CounterHead(ledger: "L", epoch: 7, seq: 41)))
            let isSame = try await fixture.stock() == before
            #expect(isSame)
        }
    }
}

@Suite("Scripts")
struct ScriptTests {
    @Test("are loaded again when the server has forgotten them, and run once")
    func forgotten() async throws {
        try await withCounters(["sold:p:P": "0"]) { fixture async throws in
            let store = fixture.store
            for seq in 41..<44 as Range<Int64> {
                let answer = try await store.decide([take((.product("P"), 1))], epoch: 7, seq: seq)
                #expect(answer == .decided(seq: seq + 1, [.accepted(seq: seq + 1)]))
                try await fixture.server.command("SCRIPT", "FLUSH")
            }
            #expect(try await fixture.stock()?["sold:p:P"] == "3")
        }
    }

    @Test("are loaded under memory pressure, too")
    func loadedOutOfMemory() async throws {
        try await withCounters([:], ["--maxmemory-policy", "noeviction"]) { fixture async throws in
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "1")
            let snapshot = try await fixture.reader.snapshot([CounterName.product("P")])
            #expect(snapshot.head.ledger == "L")
        }
    }
}
