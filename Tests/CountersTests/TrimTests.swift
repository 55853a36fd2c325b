import Counters
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import Testing

@Suite("Trimming the stream of messages")
struct TrimTests {
    private static let ids = ["5-1", "5-2", "5-10", "6-0", "10-0", "11-0"]

    /// The number of entries read, the acknowledged ones, the requested bound, and the remaining entries.
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

    /// Everything is old enough; `below` is the bound for ids that do not show their age.
    private func old(below id: String? = nil) -> Retention { Retention(age: .zero, olderThan: id, messages: 1_000_000) }

    /// Nothing is old enough by its own id.
    private func aged(below id: String) -> Retention {
        Retention(age: .seconds(4_000_000_000), olderThan: id, messages: 1_000_000)
    }

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

    @Test("removes old entries, but none that is unread or pending", arguments: table.indices)
    func trims(_ index: Int) async throws {
        let (read, acknowledged, below, left) = Self.table[index]
        try await withCounters([:]) { fixture async throws in
            try await fill(fixture, read: read, acknowledged: acknowledged)
            var after = try await fixture.server.keyspace()
            guard case .stream(let entries, let groups) = after[fixture.keys.checkouts] else {
                Issue.record("no stream")
                return
            }
            let report = try await fixture.store.trim(aged(below: below))
            #expect(
                report.aged == report.messages && report.aged == Int64(Self.ids.count - left.count)
                    && report.outcomes == 0)
            #expect(report.lastDelivered == (read == 0 ? "0-0" : Self.ids[read - 1]))
            after[fixture.keys.checkouts] = .stream(entries.filter { left.contains($0.id) }, groups: groups)
            #expect(try await fixture.server.keyspace() == after)
        }
    }

    @Test("removes nothing, with an error, if there is no group or no stream")
    func noGroup() async throws {
        try await withCounters([:]) { fixture async throws in
            let withoutStream = try await replyError { _ = try await fixture.store.trim(old()) }
            for id in Self.ids { try await fixture.server.command("XADD", fixture.keys.checkouts, id, "type", "t") }
            try await fixture.server.command("XGROUP", "CREATE", fixture.keys.checkouts, "others", "$")
            let before = try await fixture.server.keyspace()
            let withoutGroup = try await replyError { _ = try await fixture.store.trim(old()) }
            #expect(withoutStream?.code == "ERR" && withoutGroup?.code == "NOGROUP")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    @Test(
        "removes nothing when its arguments are malformed",
        arguments: [
            [], ["stocktake"], ["stocktake", "x", "", "9", "9", ""], ["stocktake", "0", "99", "9", "9", ""],
            ["stocktake", "0", "", "x", "9", ""], ["stocktake", "0", "", "9", "x", ""],
            ["stocktake", "0", "", "9", "9", "x"], ["stocktake", "0", "", "9", "9"],
        ])
    func malformed(_ arguments: [String]) async throws {
        try await withCounters([:]) { fixture async throws in
            try await fill(fixture, read: 6, acknowledged: Self.ids)
            let before = try await fixture.server.keyspace()
            let error = try await replyError {
                _ = try await fixture.run(.trim, keys: [fixture.keys.checkouts, fixture.keys.outcomes], arguments)
            }
            #expect(error?.code == "ERR")
            #expect(try await fixture.server.keyspace() == before)
        }
    }

    /// Adds `count` entries as read and acknowledged, to a stream with nodes of ten.
    private func fillAcknowledged(_ fixture: CountersFixture, _ ids: [String]) async throws {
        let (server, stream) = (fixture.server, fixture.keys.checkouts)
        try await server.command("CONFIG", "SET", "stream-node-max-entries", "10")
        _ = try await fixture.client.pipeline(ids.map { RedisCommand("XADD", stream, $0, "type", "t") })
        try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "$")
    }

    @Test("applies the age of ids relative to Redis' clock")
    func age() async throws {
        try await withCounters([:]) { fixture async throws in
            let reply = try await fixture.server.command("TIME").array ?? []
            let now = (reply.first?.string.flatMap { Int64($0) } ?? 0) * 1_000
            let ids = [now - 7_200_000, now - 3_700_000, now - 3_500_000, now - 1].map { "\($0)-0" }
            try await fillAcknowledged(fixture, ids)
            let report = try await fixture.store.trim(Retention(age: .seconds(3_600), messages: 1_000_000))
            #expect(report.messages == 2)
            #expect(try await fixture.server.entries(of: fixture.keys.checkouts).map(\.id) == Array(ids[2...]))
            #expect(now...now + 60_000 ~= report.time)
        }
    }

    @Test("limits the number of entries whatever their age, by whole nodes of the stream")
    func number() async throws {
        try await withCounters([:]) { fixture async throws in
            try await fillAcknowledged(fixture, (1...100).map { "\($0)-0" })
            let none = Retention(age: .seconds(4_000_000_000), messages: 100)
            #expect(try await fixture.store.trim(none).messages == 0)
            var few = none
            few.messages = 55
            #expect(try await fixture.store.trim(few).messages == 40)
            #expect(try await fixture.server.entries(of: fixture.keys.checkouts).first?.id == "41-0")
        }
    }

    @Test("keeps unread and pending entries, however far above the limit")
    func numberOfUnread() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, stream) = (fixture.server, fixture.keys.checkouts)
            try await server.command("CONFIG", "SET", "stream-node-max-entries", "10")
            try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "0", "MKSTREAM")
            for id in 1...40 { try await server.command("XADD", stream, "\(id)-0", "type", "t") }
            try await server.command("XREADGROUP", "GROUP", StoreKeys.group, "c", "COUNT", "30", "STREAMS", stream, ">")
            for id in 1...30 where id != 25 { try await server.command("XACK", stream, StoreKeys.group, "\(id)-0") }
            let all = Retention(age: .seconds(4_000_000_000), messages: 1)
            // 25 is pending: its node stays.
            #expect(try await fixture.store.trim(all).messages == 20)
            var everything = all
            (everything.age, everything.messages) = (.zero, 0)
            #expect(try await fixture.store.trim(everything).aged == 4)
            let left = try await server.entries(of: stream).map(\.id)
            #expect(left == (25...40).map { "\($0)-0" })
        }
    }

    @Test("removes all acknowledged entries, including the last one, and outcomes, with limits of 0")
    func everything() async throws {
        try await withCounters([:]) { fixture async throws in
            try await fillAcknowledged(fixture, (1...20).map { "\($0)-0" })
            for _ in 1...100 { try await fixture.server.command("XADD", fixture.keys.outcomes, "*", "outcome", "x") }
            let nothing = Retention(age: .seconds(4_000_000_000), messages: 0, outcomes: 20)
            let report = try await fixture.store.trim(nothing)
            #expect(report.excess == 20 && report.aged == 0 && report.acknowledged == "20-1")
            #expect(report.outcomes == 80)
            #expect(try await fixture.server.entries(of: fixture.keys.checkouts).isEmpty)
            #expect(try await fixture.store.oldestMessage() == StreamID("20-0"))
        }
    }

    @Test("removes no more than one call may, the oldest first", arguments: [true, false])
    func limit(aged: Bool) async throws {
        try await withCounters([:]) { fixture async throws in
            try await fillAcknowledged(fixture, (1...95).map { "\($0)-0" })
            let retention = Retention(
                age: aged ? .zero : .seconds(4_000_000_000), messages: aged ? 1_000 : 0, limit: 30)
            for left in [65, 35] {
                let report = try await fixture.store.trim(retention)
                #expect((aged ? report.aged : report.excess) == 30 && report.messages == 30)
                let ids = try await fixture.server.entries(of: fixture.keys.checkouts).map(\.id)
                #expect(ids.count == left && ids.last == "95-0")
            }
            #expect(try await fixture.store.oldestMessage() == StreamID("61-0"))
        }
    }

    @Test("never removes unread entries, even if ids are too large to be counted exactly")
    func largeIDs() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, stream) = (fixture.server, fixture.keys.checkouts)
            try await server.command("XADD", stream, "9007199254740995-1", "type", "t")
            try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "$")
            try await server.command("XADD", stream, "9007199254740996-1", "type", "t")
            _ = try await fixture.store.trim(Retention(age: .zero, messages: 0))
            #expect(try await server.entries(of: stream).last?.id == "9007199254740996-1")
        }
    }
}
