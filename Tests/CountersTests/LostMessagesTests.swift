import Counters
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport
import Testing

@Suite("Counting messages that were lost before they were processed")
struct LostMessagesTests {
    private func makeGroup(_ fixture: CountersFixture) async throws {
        _ = try await fixture.run(.group, keys: [fixture.keys.checkouts, fixture.keys.intake], [StoreKeys.group])
    }

    private func add(_ ids: ClosedRange<Int>, _ fixture: CountersFixture) async throws {
        for id in ids { try await fixture.server.command("XADD", fixture.keys.checkouts, "\(id)-0", "type", "t") }
    }

    private func read(_ fixture: CountersFixture) async throws {
        try await fixture.server.command(
            "XREADGROUP", "GROUP", StoreKeys.group, "c", "STREAMS", fixture.keys.checkouts, ">")
    }

    private func acknowledge(_ ids: [Int], _ fixture: CountersFixture) async throws {
        let acknowledgement = Acknowledgement(
            epoch: CountersFixture.epoch, settled: CountersFixture.seq, recorded: 60, entries: ids.map { "\($0)-0" })
        #expect(
            try await fixture.store.acknowledge(acknowledgement, keepOutcomes: 10)
                == .acknowledged(AcknowledgeReport(acknowledged: Int64(ids.count), announced: 63)))
    }

    private func lost(_ fixture: CountersFixture) async throws -> [Int64] {
        let lost = try await fixture.store.checkForLostMessages()
        let read = try await LostMessages.read(fixture.keys, fixture.client)
        #expect(read == LostMessages(found: 0, total: lost.total, foundAt: lost.foundAt))
        #expect((lost.total > 0) == (lost.foundAt != nil))
        return [lost.found, lost.total]
    }

    @Test("counts unread and pending messages, once, while nothing is unread")
    func counts() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, stream) = (fixture.server, fixture.keys.checkouts)
            try await makeGroup(fixture)
            #expect(try await lost(fixture) == [0, 0])
            try await add(1...9, fixture)
            try await server.command("XDEL", stream, "2-0", "5-0")
            // While something is unread, losses cannot be counted.
            #expect(try await lost(fixture) == [0, 0])
            try await read(fixture)
            #expect(try await lost(fixture) == [2, 2])
            #expect(try await lost(fixture) == [0, 2])
            try await acknowledge([1, 3, 4, 6], fixture)
            #expect(try await lost(fixture) == [0, 2])
            // Trimmed while they were pending: they stay pending until they are claimed.
            try await server.command("XTRIM", stream, "MAXLEN", "1")
            #expect(try await lost(fixture) == [0, 2])
            try await server.command("XAUTOCLAIM", stream, StoreKeys.group, "c", "0", "0")
            #expect(try await lost(fixture) == [2, 4])
            try await acknowledge([9], fixture)
            // Processed messages may be trimmed.
            try await server.command("XTRIM", stream, "MAXLEN", "0")
            #expect(try await lost(fixture) == [0, 4])
            // The very last one, unread, and with it the stream's entire content.
            try await add(10...12, fixture)
            try await server.command("XTRIM", stream, "MAXLEN", "0")
            #expect(try await lost(fixture) == [3, 7])
            try await add(13...13, fixture)
            #expect(try await lost(fixture) == [0, 7])
            try await read(fixture)
            // An acknowledgement that is not ours does not count as processing.
            try await server.command("XACK", stream, StoreKeys.group, "13-0")
            #expect(try await lost(fixture) == [1, 8])
        }
    }

    @Test("reports all of them, even if the reply to a check was lost")
    func unreported() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, stream) = (fixture.server, fixture.keys.checkouts)
            try await makeGroup(fixture)
            var reported = try await LostMessages.read(fixture.keys, fixture.client).total
            func look() async throws -> Int64 {
                let lost = try await fixture.store.checkForLostMessages()
                defer { reported = lost.total }
                return lost.unreported(after: reported)
            }
            try await add(1...9, fixture)
            try await server.command("XDEL", stream, "2-0", "5-0")
            try await read(fixture)
            // Counted by a check whose reply is discarded.
            #expect(try await lost(fixture) == [2, 2])
            #expect(try await look() == 2)
            #expect(try await look() == 0)
            // A Redis that has forgotten the total.
            try await server.command("HDEL", fixture.keys.intake, "lost", "lost_at")
            #expect(try await look() <= 0)
            try await add(10...12, fixture)
            try await server.command("XDEL", stream, "11-0")
            try await read(fixture)
            #expect(try await look() == 1)
        }
    }

    @Test("does not count messages deleted before the group existed, nor messages read a second time")
    func baseline() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, stream) = (fixture.server, fixture.keys.checkouts)
            try await add(1...6, fixture)
            try await server.command("XTRIM", stream, "MAXLEN", "2")
            try await makeGroup(fixture)
            try await read(fixture)
            #expect(try await lost(fixture) == [0, 0])
            try await acknowledge([5, 6], fixture)
            try await server.command("XGROUP", "SETID", stream, StoreKeys.group, "0")
            try await read(fixture)
            try await acknowledge([5, 6], fixture)
            #expect(try await lost(fixture) == [0, 0])
            try await add(7...9, fixture)
            try await server.command("XDEL", stream, "8-0")
            try await read(fixture)
            #expect(try await lost(fixture) == [1, 1])
            // If the total was never kept, counting starts from here.
            try await server.command("DEL", fixture.keys.intake)
            #expect(try await lost(fixture) == [0, 0])
        }
    }

    @Test("writes nothing without a stream, without a group, or if a key is of the wrong type")
    func errors() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, keys) = (fixture.server, fixture.keys)
            func code() async throws -> String? {
                try await replyError { _ = try await fixture.store.checkForLostMessages() }?.code
            }
            let before = try await server.keyspace()
            #expect(try await code() == "ERR")
            #expect(try await server.keyspace() == before)
            try await add(1...1, fixture)
            let stream = try await server.keyspace()
            #expect(try await code() == "NOGROUP")
            #expect(try await server.keyspace() == stream)
            try await server.command("SET", keys.intake, "text")
            try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            #expect(try await code() == "WRONGTYPE")
            // Reading and acknowledging still work.
            try await read(fixture)
            try await acknowledge([1], fixture)
        }
    }
}
