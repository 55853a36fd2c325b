import Counters
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport
import Testing

@Suite("Staging counters, creating the group, inspecting an entry")
struct StageTests {
    private func stage(_ fixture: CountersFixture, _ arguments: [String]) async throws -> Int64? {
        try await fixture.run(.stage, keys: ["staged"], arguments).int
    }

    @Test("writes every field, however many there are", arguments: [1, 1_999, 2_000, 2_001, 4_500])
    func fields(count: Int) async throws {
        try await withCounters([:]) { fixture async throws in
            let before = try await fixture.server.keyspace()
            let fields = (1...count).map { ("f\($0)", "\($0)") }
            #expect(try await stage(fixture, fields.flatMap { [$0.0, $0.1] }) == Int64(count))
            #expect(try await stage(fixture, ["more", "x"]) == 1)
            var after = try await fixture.server.keyspace()
            let staged = Dictionary(uniqueKeysWithValues: fields).merging(["more": "x"]) { $1 }
            #expect(after.removeValue(forKey: "staged") == .hash(staged))
            #expect(after == before)
        }
    }

    @Test("writes nothing when its arguments are malformed", arguments: [[], ["f"], ["f", "1", "g"]])
    func malformed(_ arguments: [String]) async throws {
        try await withCounters([:]) { fixture async throws in
            let before = try await fixture.server.keyspace()
            #expect(try await replyError { _ = try await stage(fixture, arguments) }?.code == "ERR")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test("the group is created once, and then left unchanged")
    func group() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, keys) = (fixture.server, fixture.keys)
            func group() async throws -> String? {
                try await fixture.run(.group, keys: [keys.checkouts, keys.intake], [StoreKeys.group]).string
            }
            #expect(try await group() == "CREATED")
            try await server.command("XADD", keys.checkouts, "1-0", "type", "t")
            try await server.command("XREADGROUP", "GROUP", StoreKeys.group, "c", "STREAMS", keys.checkouts, ">")
            let before = try await server.keyspace()
            #expect(try await group() == "EXISTS")
            #expect(try await server.keyspace() == before)
            try await server.command("SET", keys.checkouts, "text")
            #expect(try await replyError { _ = try await group() }?.code == "WRONGTYPE")
        }
    }

    @Test("an entry's size and digest are returned without the entry, unless the stream is too large")
    func inspect() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, keys) = (fixture.server, fixture.keys)
            func inspect(_ id: String, _ limit: String) async throws -> [RedisValue] {
                try await fixture.run(.inspect, keys: [keys.checkouts], [id, limit]).array ?? []
            }
            #expect(try await inspect("1-0", "999999").map(\.string) == ["GONE"])
            try await server.command(
                "XADD", keys.checkouts, "1-0", "type", "t", "payload", "abc", "more",
                String(repeating: "x", count: 5_000))
            try await server.command("XADD", keys.checkouts, "2-0", "a", "b")
            let first = try await inspect("1-0", "999999")
            #expect(first[0].string == "ENTRY" && first[1].int == 3 && first[2].int == 5_019)
            // Of "abc", from FIPS 180.
            #expect(first[3].string == "a9993e364706816aba3e25717850c26c9cd0d89d")
            #expect(try await inspect("2-0", "999999").last?.string == "")
            #expect(try await inspect("3-0", "999999").map(\.string) == ["GONE"])
            let unbearable = try await inspect("1-0", "5000")
            #expect(unbearable[0].string == "UNBEARABLE" && unbearable[1].int ?? 0 > 5_000)
        }
    }
}
