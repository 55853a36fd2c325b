import Counters
import Ingest
import Domain
import LuaScripts
import RedisClient
import RedisLayout
import TestSupport
import Testing

private let p = CounterName.product("P")

/// Everything that must work while Redis refuses writes for lack of memory, because it precedes trimming.
@Suite("In a Redis that is full")
struct FullRedisTests {
    /// Checks that Redis is full: it refuses plain writes.
    private func withFullRedis(
        _ counters: [String: String]?, _ body: (CountersFixture) async throws -> Void
    ) async throws {
        try await withCounters(counters, ["--maxmemory-policy", "noeviction"]) { fixture async throws in
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "1")
            let error = try await replyError { try await fixture.server.command("SET", "x", "y") }
            #expect(error?.code == "OOM")
            try await body(fixture)
        }
    }

    @Test("an epoch is staged and installed, and its counters decide")
    func installAndDecide() async throws {
        try await withFullRedis(nil) { fixture async throws in
            let counters = [(name: p, state: CounterState(sold: 5, cap: 9, isActive: true))]
            let installation = Installation(epoch: 8, seq: 50, position: 74, catalogueVersion: 4, counters: counters)
            #expect(try await fixture.store.install(installation) == .installed(announced: 0))
            let answer = try await fixture.store.decide([take((p, 4)), take((p, 1))], epoch: 8, seq: 50)
            #expect(answer == .decided(seq: 51, [.accepted(seq: 51), refused(p, asked: 1, left: 0)]))
        }
    }

    @Test("the group is created, messages are read, acknowledged and trimmed")
    func readAndTrim() async throws {
        try await withCounters(["seq": "45"], ["--maxmemory-policy", "noeviction"]) { fixture async throws in
            let (server, keys) = (fixture.server, fixture.keys)
            for id in 1...3 { try await server.command("XADD", keys.checkouts, "\(id)-0", "type", "t") }
            try await server.command("CONFIG", "SET", "maxmemory", "1")
            let reader = StreamReader(client: fixture.client, keys: keys, consumer: "c")
            try await reader.connect()
            var read: [String] = []
            while read.count < 3 { read += try await reader.next(block: .milliseconds(50)).entries.map(\.id) }
            #expect(read == ["1-0", "2-0", "3-0"])
            let acknowledgement = Acknowledgement(
                epoch: 7, settled: 45, recorded: 63, entries: read)
            guard
                case .acknowledged(let report) = try await fixture.store.acknowledge(acknowledgement, keepOutcomes: 10)
            else {
                Issue.record("fenced")
                return
            }
            #expect(report.acknowledged == 3)
            #expect(try await fixture.store.trim(Retention(age: .zero, messages: 0, outcomes: 10)).messages == 3)
        }
    }

    @Test("the check distinguishes it from one with room, and from one that refuses writes for another reason")
    func isFull() async throws {
        try await withCounters([:]) { fixture async throws in
            #expect(try await fixture.store.isRedisFull() == false)
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "1")
            #expect(try await fixture.store.isRedisFull())
            #expect(try await fixture.store.isShortOfMemory())
            let used = try await fixture.server.command("INFO", "memory").info["used_memory"].flatMap { Int($0) } ?? 0
            // It has little room at first, then enough.
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "\(used + used / 12)")
            #expect(try await fixture.store.isRedisFull() == false)
            #expect(try await fixture.store.isShortOfMemory())
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "\(used * 2)")
            #expect(try await fixture.store.isShortOfMemory() == false)
            try await fixture.server.command("CONFIG", "SET", "maxmemory", "0")
            try await fixture.server.command("REPLICAOF", "127.0.0.1", "1")
            #expect(try await replyError { _ = try await fixture.store.isRedisFull() }?.code == "READONLY")
        }
    }

    @Test("unused consumers without pending entries are removed, but not the one in use")
    func tidy() async throws {
        try await withCounters([:]) { fixture async throws in
            let (server, keys) = (fixture.server, fixture.keys)
            func consumers() async throws -> [String] {
                try await server.command("XINFO", "CONSUMERS", keys.checkouts, StoreKeys.group).array?
                    .compactMap { $0.fields["name"]?.string } ?? []
            }
            func tidy() async throws -> Int64? {
                try await fixture.run(.tidy, keys: [keys.checkouts], [StoreKeys.group, "mine"]).int
            }
            #expect(try await replyError { _ = try await tidy() } != nil)
            try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0", "MKSTREAM")
            #expect(try await tidy() == 0)
            try await server.command("XADD", keys.checkouts, "1-0", "type", "t")
            for name in ["mine", "gone", "busy", "gone too"] {
                try await server.command("XGROUP", "CREATECONSUMER", keys.checkouts, StoreKeys.group, name)
            }
            try await server.command("XREADGROUP", "GROUP", StoreKeys.group, "busy", "STREAMS", keys.checkouts, ">")
            try await server.command("CONFIG", "SET", "maxmemory", "1")
            #expect(try await tidy() == 2)
            #expect(try await consumers().sorted() == ["busy", "mine"])
            #expect(try await server.command("XPENDING", keys.checkouts, StoreKeys.group).array?.first?.int == 1)
        }
    }
}
