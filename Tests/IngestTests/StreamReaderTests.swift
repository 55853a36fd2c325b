import Counters
import Ingest
import Domain
import Logging
import RedisClient
import RedisLayout
import TestSupport
import Testing

@Suite("The reader of the stream")
struct StreamReaderTests {
    private let keys = StoreKeys(store: "main")

    private func add(_ server: TestRedisServer, _ number: Int, bytes: Int) async throws {
        _ = try await server.command(
            "XADD", keys.checkouts, "\(number)-0", "type", "t", "payload", String(repeating: "x", count: bytes))
    }

    /// Reads until nothing arrives any more; after a failed read it calls `connect`, as the consumer does.
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
                try await reader.connect()
            }
        }
    }

    @Test("gets past entries that together exceed a reply's limit, in order")
    func largeEntries() async throws {
        try await withRedisServer { server in
            for number in 1...300 { try await add(server, number, bytes: 10) }
            for number in 301...340 { try await add(server, number, bytes: 100_000) }
            var options = RedisOptions()
            options.maximumReplyBytes = 1 << 20
            let reader = StreamReader(client: server.client(options), keys: keys, consumer: "c")
            try await reader.connect()
            let (ids, failures) = try await readAll(reader, server)
            #expect(ids == (1...340).map { "\($0)-0" })
            #expect(failures > 0)
        }
    }

    @Test("does not wait for new entries if its time limit is zero")
    func readsAtOnce() async throws {
        try await withRedisServer { server in
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            try await reader.connect()
            _ = try await reader.next(block: .zero)
            // `BLOCK 0` would not return.
            #expect(try await reader.next(block: .zero).isEmptyRead)
            try await add(server, 1, bytes: 1)
            #expect(try await reader.next(block: .zero).entries.map(\.id) == ["1-0"])
        }
    }

    @Test("claims entries delivered to other consumers first, with their delivery counts")
    func pendingFirst() async throws {
        try await withRedisServer { server in
            for number in 1...4 { try await add(server, number, bytes: 1) }
            _ = try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            _ = try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "other", "COUNT", "2", "STREAMS", keys.checkouts, ">")
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            try await reader.connect()
            let pending = try await reader.next(block: .milliseconds(10))
            #expect(pending.entries.map(\.id) == ["1-0", "2-0"])
            #expect(pending.entries.map(\.deliveries) == [2, 2])
            #expect(try await reader.next(block: .milliseconds(10)).entries.map(\.id) == ["3-0", "4-0"])
            let client = server.client()
            let summary = try await PendingSummary.read(keys, client)
            #expect(summary.count == 4 && summary.lowest == StreamID("1-0"))
            await client.close()
        }
    }

    @Test("reports pending entries that are missing from the stream")
    func lostEntries() async throws {
        try await withRedisServer { server in
            for number in 1...3 { try await add(server, number, bytes: 1) }
            _ = try await server.command("XGROUP", "CREATE", keys.checkouts, StoreKeys.group, "0")
            _ = try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "other", "STREAMS", keys.checkouts, ">")
            _ = try await server.command("XTRIM", keys.checkouts, "MAXLEN", "1")
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            try await reader.connect()
            let delivery = try await reader.next(block: .milliseconds(10))
            #expect(delivery.entries.map(\.id) == ["3-0"])
            #expect(delivery.lost == ["1-0", "2-0"])
        }
    }

    @Test("creates a missing group again at the beginning")
    func groupGone() async throws {
        try await withRedisServer { server in
            let reader = StreamReader(client: server.client(), keys: keys, consumer: "c")
            try await reader.connect()
            #expect(try await readAll(reader, server).ids.isEmpty)
            _ = try await server.command("FLUSHALL")
            try await add(server, 1, bytes: 1)
            let (ids, failures) = try await readAll(reader, server)
            #expect(ids == ["1-0"])
            #expect(failures == 1)
        }
    }

    @Test("returns oversized entries by their ids, in order, and all others whole")
    func oversized() async throws {
        try await withRedisServer { server in
            for number in 1...20 {
                try await add(server, number, bytes: [3, 8, 9, 20].contains(number) ? 300_000 : 10)
            }
            var options = RedisOptions()
            options.maximumReplyBytes = 100_000
            let reader = StreamReader(client: server.client(options), keys: keys, consumer: "c")
            try await reader.connect()
            var reasons: [String: String] = [:]
            var (ids, failures): ([String], Int) = ([], 0)
            while ids.count < 20 {
                do {
                    for entry in try await reader.next(block: .milliseconds(10)).entries {
                        ids.append(entry.id)
                        reasons[entry.id] = entry.unreadReason
                        _ = try await server.command("XACK", keys.checkouts, StoreKeys.group, entry.id)
                    }
                } catch {
                    failures += 1
                    try #require(failures < 100, "\(error)")
                    try await reader.connect()
                }
            }
            #expect(ids == (1...20).map { "\($0)-0" })
            #expect(reasons.keys.sorted() == ["20-0", "3-0", "8-0", "9-0"])
            #expect(reasons["8-0"]?.contains("it has 300012 bytes in 2 fields") == true, "\(reasons)")
            // Then it uses larger reads again.
            for number in 21...40 { try await add(server, number, bytes: 10) }
            #expect(try await readAll(reader, server).ids == (21...40).map { "\($0)-0" })
        }
    }

    @Test("creates a group that was lost while it searched for oversized entries")
    func groupLostWhileSearching() async throws {
        try await withRedisServer { server in
            for number in 1...3 { try await add(server, number, bytes: 300_000) }
            var options = RedisOptions()
            options.maximumReplyBytes = 100_000
            let reader = StreamReader(client: server.client(options), keys: keys, consumer: "c")
            try await reader.connect()
            // The group is created; then a read fails, and entries are claimed one at a time.
            _ = try await reader.next(block: .milliseconds(10))
            await #expect(throws: RedisError.self) { _ = try await reader.next(block: .milliseconds(10)) }
            _ = try await server.command("FLUSHALL")
            try await reader.connect()
            try await add(server, 1, bytes: 10)
            let (ids, failures) = try await readAll(reader, server)
            // It is not mistaken for a larger one that had its id.
            #expect(ids == ["1-0"] && failures == 0)
        }
    }

    @Test("treats a connection that was replaced between two reads as lost")
    func replacedConnection() async throws {
        try await withRedisServer { server in
            let client = server.client()
            let reader = StreamReader(client: client, keys: keys, consumer: "c")
            try await reader.connect()
            #expect(try await readAll(reader, server).ids.isEmpty)
            // Delivered to a connection that breaks before the reply is read.
            try await add(server, 1, bytes: 1)
            _ = try await server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "c", "STREAMS", keys.checkouts, ">")
            _ = try await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await eventually("the end of the connection") { !client.isConnected }
            // Another command on this client has reconnected it.
            _ = try await client.send(RedisCommand("PING"))
            await #expect(throws: RedisError.self) { _ = try await reader.next(block: .milliseconds(10)) }
            try await reader.connect()
            #expect(try await readAll(reader, server).ids == ["1-0"])
            await client.close()
        }
    }

    /// Malformed replies to XAUTOCLAIM and XREADGROUP, and their faults.
    private static let malformedReplies: [(String, String)] = [
        ("+OK\r\n", "not a"), ("*0\r\n", "not a"), ("*2\r\n:1\r\n:2\r\n", "not a"),
        ("*2\r\n$3\r\n0-0\r\n:2\r\n", "not a"), ("*2\r\n$3\r\n0-0\r\n*1\r\n:1\r\n", "without an id"),
        ("*2\r\n$3\r\n0-0\r\n*1\r\n*1\r\n$3\r\n1-1\r\n", "without an id"),
        ("*2\r\n$3\r\n0-0\r\n*1\r\n*2\r\n:1\r\n*0\r\n", "without an id"),
        ("*2\r\n$3\r\n0-0\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n:1\r\n", "not a string"),
    ]

    @Test("reports the fault of a malformed reply", arguments: malformedReplies, ["XAUTOCLAIM", "XREADGROUP"])
    func malformed(_ reply: (text: String, problem: String), _ command: String) async throws {
        let server = try await FakeServer.start { _, words in
            switch words.first {
            case command: .answer(command == "XREADGROUP" ? "*1\r\n" + reply.text : reply.text)
            case "XAUTOCLAIM": .answer("*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n")
            case "XPENDING": .answer("*0\r\n")
            default: .answer("+OK\r\n")
            }
        }
        let client = RedisClient(url: server.url, logger: Logger(label: "test"))
        let reader = StreamReader(client: client, keys: keys, consumer: "c")
        try await reader.connect()
        let error = await #expect(throws: RedisError.self) {
            if command == "XREADGROUP" { _ = try await reader.next(block: .milliseconds(1)) }
            _ = try await reader.next(block: .milliseconds(1))
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reply.problem), "\(String(describing: error))")
        await client.close()
    }

    @Test("distinguishes missing entries of the stream from existing ones")
    func gone() async throws {
        let server = try await FakeServer.start { _, words in
            switch words.first {
            case "XAUTOCLAIM":
                .answer(
                    "*3\r\n$3\r\n0-0\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
                        + "*2\r\n$3\r\n1-3\r\n:4\r\n")
            case "XPENDING": .answer("*0\r\n")
            default: .answer("+OK\r\n")
            }
        }
        let client = RedisClient(url: server.url, logger: Logger(label: "test"))
        let reader = StreamReader(client: client, keys: keys, consumer: "c")
        try await reader.connect()
        let delivery = try await reader.next(block: .milliseconds(1))
        #expect(delivery.entries == [StreamEntry(id: "1-2", fields: [.init(name: [97], value: [98])])])
        #expect(delivery.lost == ["1-1", "1-3"])
        await client.close()
    }
}
