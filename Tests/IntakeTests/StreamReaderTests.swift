import Intake
import Inventory
import RedisClient
import TestSupport
import Testing

@Suite("The reader of the stream")
struct StreamReaderTests {
    private let keys = StoreKeys(store: "main")

    private func add(_ server: TestRedisServer, _ number: Int, bytes: Int) async throws {
        _ = try await server.command(
            "XADD", keys.checkouts, "\(number)-0", "type", "t", "payload", String(repeating: "x", count: bytes))
    }

    /// Reads until nothing comes any more; a read that fails is followed by `resume`, as the consumer does.
    private func readAll(
        _ reader: StreamReader, _ server: TestRedisServer
    ) async throws -> (ids: [String], failures: Int) {
        var (ids, failures): ([String], Int) = ([], 0)
        while true {
            do {
                let delivery = try await reader.next(block: .milliseconds(10))
                if delivery.isEmptyRead { return (ids, failures) }
                for entry in delivery.entries {
                    ids.append(entry.id)
                    _ = try await server.command("XACK", keys.checkouts, StoreKeys.group, entry.id)
                }
            } catch {
                failures += 1
                try #require(failures < 100, "\(error)")
                await reader.resume()
            }
        }
    }

    @Test("gets past entries that together are larger than a reply may be, in their order")
    func largeEntries() async throws {
        try await withRedisServer { server in
            for number in 1...300 { try await add(server, number, bytes: 10) }
            for number in 301...340 { try await add(server, number, bytes: 100_000) }
            var options = RedisOptions()
            options.maximumReplyBytes = 1 << 20
            let reader = StreamReader(client: server.client(options), keys: keys, consumer: "c")
            let (ids, failures) = try await readAll(reader, server)
            #expect(ids == (1...340).map { "\($0)-0" })
            #expect(failures > 0)
        }
    }

    @Test("claims what was delivered to others before it reads on, and tells how often")
    func pendingFirst() async throws {
        try await withRedisServer { server in
            for number in 1...4 { try await add(server, number, bytes: 1) }
            _ = try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            _ = try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "other", "COUNT", "2", "STREAMS", keys.checkouts, ">")
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            let pending = try await reader.next(block: .milliseconds(10))
            #expect(pending.entries.map(\.id) == ["1-0", "2-0"])
            #expect(pending.entries.map(\.deliveries) == [2, 2])
            #expect(try await reader.next(block: .milliseconds(10)).entries.map(\.id) == ["3-0", "4-0"])
            #expect(try await reader.pendingCount() == 4)
        }
    }

    @Test("tells which pending entries are gone from the stream")
    func lostEntries() async throws {
        try await withRedisServer { server in
            for number in 1...3 { try await add(server, number, bytes: 1) }
            _ = try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            _ = try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "other", "STREAMS", keys.checkouts, ">")
            _ = try await server.command("XTRIM", keys.checkouts, "MAXLEN", "1")
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            let delivery = try await reader.next(block: .milliseconds(10))
            #expect(delivery.entries.map(\.id) == ["3-0"])
            #expect(delivery.lost == ["1-0", "2-0"])
        }
    }

    @Test("makes the group anew at the beginning when it is gone")
    func groupGone() async throws {
        try await withRedisServer { server in
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            #expect(try await readAll(reader, server).ids.isEmpty)
            _ = try await server.command("FLUSHALL")
            try await add(server, 1, bytes: 1)
            let (ids, failures) = try await readAll(reader, server)
            #expect(ids == ["1-0"])
            #expect(failures == 1)
        }
    }
}
