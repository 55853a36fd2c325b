import Counters
import Inventory
import LuaScripts
import RedisClient
import Testing

@Suite("Trimming the stream of messages")
struct TrimTests {
    private static let ids = ["5-1", "5-2", "5-10", "6-0", "10-0", "11-0"]

    /// How many entries were read, which of them are acknowledged, the bound that is asked for, and what is left.
    private static let table: [(read: Int, acknowledged: [String], below: String, left: ArraySlice<String>)] = [
        (0, [], "99-0", ids[0...]),
        (6, ids, "99-0", ids[5...]),
        (6, ids, "6-0", ids[3...]),
        (6, ids, "5-10", ids[2...]),
        (6, ids, "5-3", ids[2...]),
        (6, ids, "7-0", ids[4...]),
        (6, ids, "5-1", ids[0...]),
        (6, ids, "0-0", ids[0...]),
        (6, [], "99-0", ids[0...]),
        (6, ["5-1", "5-2"], "99-0", ids[2...]),
        (6, ["5-1", "5-2", "6-0", "10-0", "11-0"], "99-0", ids[2...]),
        (6, ["5-1", "5-2", "6-0", "10-0", "11-0"], "5-2", ids[1...]),
        (6, ["5-1", "5-2", "5-10", "6-0"], "99-0", ids[4...]),
        (3, ["5-1", "5-2", "5-10"], "99-0", ids[2...]),
        (3, ["5-1"], "99-0", ids[1...]),
    ]

    private func fill(_ fixture: CountersFixture, read: Int, acknowledged: [String]) async throws {
        let (server, stream) = (fixture.server, fixture.keys.checkouts)
        for id in Self.ids { try await server.command("XADD", stream, id, "type", "t") }
        try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "0")
        if read > 0 {
            try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "c", "COUNT", "\(read)", "STREAMS", stream, ">")
        }
        for id in acknowledged { try await server.command("XACK", stream, StoreKeys.group, id) }
    }

    @Test("drops what is old, but nothing that is unread or pending", arguments: table.indices)
    func trims(_ index: Int) async throws {
        let (read, acknowledged, below, left) = Self.table[index]
        try await withCounters([:]) { fixture async throws in
            try await fill(fixture, read: read, acknowledged: acknowledged)
            var after = try await fixture.server.keyspace()
            guard case .stream(let entries, let groups) = after[fixture.keys.checkouts] else {
                Issue.record("no stream")
                return
            }
            #expect(try await fixture.store.trim(below: below) == Int64(Self.ids.count - left.count))
            after[fixture.keys.checkouts] = .stream(entries.filter { left.contains($0.id) }, groups: groups)
            #expect(try await fixture.server.keyspace() == after)
        }
    }

    @Test("drops nothing, with an error, where there is no group or no stream")
    func noGroup() async throws {
        try await withCounters([:]) { fixture async throws in
            let withoutStream = try await replyError { _ = try await fixture.store.trim(below: "99-0") }
            for id in Self.ids { try await fixture.server.command("XADD", fixture.keys.checkouts, id, "type", "t") }
            try await fixture.server.command("XGROUP", "CREATE", fixture.keys.checkouts, "others", "$")
            let before = try await fixture.server.keyspace()
            let withoutGroup = try await replyError { _ = try await fixture.store.trim(below: "99-0") }
            #expect(withoutStream?.code == "ERR" && withoutGroup?.code == "NOGROUP")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test(
        "drops nothing when its arguments are malformed",
        arguments: [[], ["stocktake"], ["stocktake", "x"], ["stocktake", "99"]])
    func malformed(_ arguments: [String]) async throws {
        try await withCounters([:]) { fixture async throws in
            try await fill(fixture, read: 6, acknowledged: Self.ids)
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.run(.trim, keys: [fixture.keys.checkouts], arguments)
            }
            #expect(error?.code == "ERR")
            #expect(try await fixture.server.keyspace() == before)
        }
    }
}
