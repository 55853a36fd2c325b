import Foundation
import GRDB
import Randomness
import RedisClient
import TestSupport
import Testing

/// A Redis that fails: the consumer waits where waiting helps, stops with a clear message where it does not, and loses
/// nothing.
@Suite(.serialized) struct RedisFaultTests {
    private let orders = SequentialModel.rush

    @Test("A Redis that has not started yet is waited for")
    func absent() async throws {
        let shop = try await Shop(redis: Shop.durable)
        try await shop.publish(orders.map(\.message))
        await shop.redis.stop()
        let consumer = try shop.start(["consume"])
        let line = try await consumer.waitForLine(containing: "cannot connect")
        #expect(line.contains("Check that the server runs"))
        try await shop.redis.restart()
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: orders)
    }

    @Test("A Redis that is killed in the middle is waited for")
    func killed() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let consumer = try await shop.startConsumer("--batch-orders", "5")
        try await shop.publish(orders.prefix(40).map(\.message))
        await shop.redis.kill()
        try await shop.redis.restart()
        try await shop.publish(orders.suffix(20).map(\.message))
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("A Redis that is a replica for a while is waited for")
    func readOnly() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        _ = try await shop.redis.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        // The master does not exist: the data remain, writes are refused.
        _ = try await shop.redis.command("REPLICAOF", "127.0.0.1", "1")
        try await consumer.waitForLine(containing: "READONLY")
        _ = try await shop.redis.command("REPLICAOF", "NO", "ONE")
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(orders.count + 1)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("A Redis that is out of memory works like any other, from startup on")
    func outOfMemory() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "1")
        let consumer = try await shop.startConsumer("--batch-orders", "1")
        try await consumer.waitForLine(containing: "redis is full")
        try await shop.waitForOrders(orders.count)
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "0")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: orders)
    }

    @Test("Scripts that Redis has forgotten are loaded again")
    func scriptsFlushed() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        for batch in stride(from: 0, to: orders.count, by: 15) {
            _ = try await shop.redis.command("SCRIPT", "FLUSH")
            try await shop.publish(orders[batch..<batch + 15].map(\.message))
            try await shop.waitForOrders(batch + 15)
        }
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: orders)
    }

    @Test(
        "A key of a different type stops the consumer with a clear message, and messages stay",
        arguments: ["stock", "checkouts"])
    func wrongType(key: String) async throws {
        let shop = try await Shop()
        let name = key == "stock" ? shop.keys.stock : shop.keys.checkouts
        _ = try await shop.redis.command("SET", name, "not ours")
        let result = try await shop.run(["consume"])
        #expect(result.status == 2)
        #expect(result.errors.contains("WRONGTYPE"))
        _ = try await shop.redis.command("DEL", name)
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("A Redis older than 7 stops the consumer with a clear message")
    func tooOld() async throws {
        let shop = try await Shop()
        let old = try await FakeServer.start { _, command in
            command.first == "INFO"
                ? .answer("$24\r\nredis_version:6.2.14\r\n\r\n\r\n") : .answer("-ERR unknown command\r\n")
        }
        let result = try await shop.run(["consume", "--redis-url", Self.text(of: old.url)])
        #expect(result.status == 2)
        #expect(result.errors.contains("Redis 6.2.14 is too old. Use Redis 7.0 or later."), "\(result.errors)")
    }

    @Test("A Redis without scripts stops the consumer with Redis' own error message")
    func withoutScripts() async throws {
        let shop = try await Shop()
        let poor = try await FakeServer.start { _, command in
            switch command.first {
            case "INFO": .answer("$23\r\nredis_version:7.2.0\r\n\r\n\r\n")
            case "HMGET": .answer("*7\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n")
            case "HSET", "UNLINK": .answer(":1\r\n")
            default: .answer("-ERR unknown command '\(command[0])'\r\n")
            }
        }
        let result = try await shop.run(["consume", "--redis-url", Self.text(of: poor.url)])
        #expect(result.status == 2)
        #expect(result.errors.contains("unknown command 'SCRIPT'"), "\(result.errors)")
    }

    /// A URL as it is passed to the command.
    private static func text(of url: RedisURL) -> String { url.redacted }

    @Test("Republishing recovers a flush while messages are in memory or being read")
    func flushed() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--batch-orders", "5")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(10)
        _ = try await shop.redis.command("FLUSHALL")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("Counters that are lost while one batch is acknowledged and another decided cost one epoch")
    func lostBetweenStages() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--batch-orders", "1")
        // The first batch cannot be recorded, the second one is decided, the third one read.
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: shop.ledger, configuration: configuration)
        try await other.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
        try await shop.publish(orders.prefix(3).map(\.message))
        try await eventually("two decisions") {
            try await shop.redis.command("HGET", shop.keys.stock, "seq").int == 2
        }
        // Then Redis holds back all write commands without a reply. The first of them deletes the counters.
        let (owner, breaker) = (shop.redis.client(), shop.redis.client())
        _ = try await owner.send(RedisCommand("CLIENT", "PAUSE", "60000", "WRITE"))
        async let loss = breaker.send(RedisCommand("DEL", shop.keys.stock))
        func waiting(_ command: String, _ isIt: (String) -> Bool) async throws {
            try await eventually("\(command) waits in Redis") {
                let clients = try await owner.send(RedisCommand("CLIENT", "LIST")).string ?? ""
                return clients.split(separator: "\n").contains { $0.contains(" cmd=\(command) ") && isIt(String($0)) }
            }
        }
        try await waiting("del") { $0.contains(" flags=b") }
        // The first batch is recorded now and acknowledged; behind that, on the same connection, the third one is
        // decided.
        try await other.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        try await waiting("evalsha") { $0.contains(" flags=b") && !$0.contains(" qbuf=0 ") }
        _ = try await owner.send(RedisCommand("CLIENT", "UNPAUSE"))
        _ = try await loss
        try await shop.waitForOrders(3)
        // Messages read before the loss are claimed again before they are acknowledged.
        try await eventually("everything to be acknowledged") { try await shop.pending() == 0 }
        #expect(try await consumer.stop() == .exited(0))
        #expect(try shop.count("epochs") == 2)
        try await shop.expectResult(of: Array(orders.prefix(3)))
        await owner.close()
        await breaker.close()
    }

    @Test("An idle consumer installs the counters again as often as they are lost")
    func flushedWhileIdle() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        for _ in 1...6 {
            _ = try await shop.redis.command("FLUSHALL")
            try await eventually("the counters") {
                try await shop.redis.command("HGET", shop.keys.stock, "sold:p:LAMP").string == "0"
            }
        }
        #expect(try await consumer.stop() == .exited(0))
    }

    @Test("A manually edited counter changes no decision")
    func editedCounter() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        // Half of the orders meet counters that are too high, the others counters that are too low.
        try await shop.publish(orders.prefix(10).map(\.message))
        try await shop.waitForOrders(10)
        _ = try await shop.redis.command("HINCRBY", shop.keys.stock, "sold:p:LAMP", "100")
        try await shop.publish(orders[10..<40].map(\.message))
        try await shop.waitForOrders(40)
        _ = try await shop.redis.command("HSET", shop.keys.stock, "sold:p:CUBE", "-50")
        _ = try await shop.redis.command("HDEL", shop.keys.stock, "sold:v:GREEN", "cap:p:LAMP")
        try await shop.publish(orders[40...].map(\.message))
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        // A starting consumer installs the counters again, which also reverts edits that no order has met.
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("Restarted from an append-only file whose tail was cut, nothing is sold twice", arguments: [1, 2, 3])
    func tailCut(round: Int) async throws {
        let shop = try await Shop(redis: Shop.durable)
        var generator = TestSeed.generator("tailCut round \(round)")
        let consumer = try await shop.startConsumer("--batch-orders", "7")
        try await shop.publish(orders.prefix(45).map(\.message))
        try await shop.waitForOrders(Int.random(in: 1...45, using: &generator))
        await shop.redis.kill()
        let folder = shop.redis.folder.path(of: "appendonlydir")
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".incr.aof") })
        let path = "\(folder)/\(file)"
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: UInt64(Int.random(in: size / 2..<size, using: &generator)))
        try handle.close()
        try await shop.redis.restart()
        // Publishers resend every message that has no outcome; resending all of them does no harm.
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("Counters that are lost between preparation and installation are prepared again")
    func preparedLost() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        let consumer = try shop.start(["consume"], environment: ["STOCKTAKE_FAILPOINT": "epoch.prepared:pause"])
        for _ in 0..<3 {
            try await eventually(within: .seconds(20), "prepared counters") { consumer.isStopped }
            let keys = try await shop.redis.command("KEYS", shop.keys.stock + ".next:*").array?.compactMap(\.string)
            for key in keys ?? [] { _ = try await shop.redis.command("DEL", key) }
            consumer.signal(SIGCONT)
        }
        try await eventually(within: .seconds(20), "prepared counters") { consumer.isStopped }
        consumer.signal(SIGCONT)
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: orders)
    }

    @Test("A waiting batch is not blamed when Redis repeatedly forgets the last epoch")
    func epochsLost() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        // Paused each time its counters are installed, before it can use them.
        let consumer = try shop.start(["consume"], environment: ["STOCKTAKE_FAILPOINT": "epoch.installed:pause"])
        for _ in 0..<9 {
            try await eventually(within: .seconds(20), "an epoch") { consumer.isStopped }
            // As after a crash that cut the tail: the connection is closed, and the epoch is lost.
            _ = try await shop.redis.command("HINCRBY", shop.keys.stock, "epoch", "-1")
            _ = try await shop.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            consumer.signal(SIGCONT)
        }
        try await eventually(within: .seconds(20), "an epoch") { consumer.isStopped }
        consumer.signal(SIGCONT)
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectResult(of: orders)
    }

    @Test("A message delivered to a dead connection is recovered, even without any other traffic")
    func deliveredIntoNowhere() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        func waitForReaders(_ number: Int) async throws {
            try await eventually("\(number) readers that wait") {
                let clients = try await shop.redis.command("INFO", "clients").string ?? ""
                return clients.contains("blocked_clients:\(number)\r")
            }
        }
        // A separate connection: a blocking read holds up all later commands on its connection.
        let gone = shop.redis.client()
        // The consumer's first read blocks: the group exists.
        try await waitForReaders(1)
        var stolen = 0
        for number in 1...20 where stolen == 0 {
            // A blocking read of another consumer, which never acknowledges; Redis serves blocked readers in turn.
            async let thief = gone.send(
                RedisCommand(
                    "XREADGROUP", "GROUP", "stocktake", "gone", "BLOCK", "2000", "STREAMS", shop.keys.checkouts, ">"),
                timeout: .seconds(20))
            try await waitForReaders(2)
            try await shop.publish(
                ["a", "b"].map { SequentialModel.Order("\($0)-\(number)", ("PANEL", nil, 1)).message })
            if try await !thief.isNull { stolen += 1 }
            try await shop.waitForOrders(2 * number)
        }
        await gone.close()
        #expect(stolen > 0)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("SIGTERM ends a consumer within 10 s although Redis hangs")
    func hanging() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--batch-orders", "5")
        try await shop.publish(orders.map(\.message))
        shop.redis.signal(SIGSTOP)
        let asked = ContinuousClock.now
        consumer.signal(SIGTERM)
        #expect(try await consumer.waitForEnding(within: .seconds(20)) == .exited(0))
        #expect(ContinuousClock.now - asked < .seconds(10))
        shop.redis.signal(SIGCONT)
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("A Redis user that lacks a right is waited for, inside scripts as well")
    func notPermitted() async throws {
        let shop = try await Shop()
        for right in ["-evalsha", "-xack"] {
            _ = try await shop.redis.command("ACL", "SETUSER", "default", right)
            let consumer = try shop.start(["consume", "--batch-orders", "5"])
            try await shop.publish(orders.map(\.message))
            try await consumer.waitForLine(
                containing: right == "-xack" ? "for=acknowledging" : "waiting for Redis")
            _ = try await shop.redis.command("ACL", "SETUSER", "default", "+" + right.dropFirst())
            try await shop.waitForOrders(orders.count)
            #expect(try await consumer.stop() == .exited(0))
        }
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }
}
