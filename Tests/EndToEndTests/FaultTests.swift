import Foundation
import GRDB
import Randomness
import RedisClient
import TestSupport
import Testing

/// Redis and the ledger misbehaving: waited for where waiting helps, a clear stop where it does not, nothing lost.
@Suite(.serialized) struct FaultTests {
    private let orders = SequentialModel.rush

    private func expectRush(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) async throws {
        var model = SequentialModel()
        model.take(orders)
        try model.expect(shop, location)
        try await shop.expectConsistent(location)
    }

    // MARK: - Redis

    @Test("A Redis that is not there yet is waited for")
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
        try await expectRush(shop)
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
        try await expectRush(shop)
    }

    @Test("A Redis that is a replica for a while is waited for")
    func readOnly() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        _ = try await shop.redis.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        // A master that does not exist: the data stay, writes are refused.
        _ = try await shop.redis.command("REPLICAOF", "127.0.0.1", "1")
        try await consumer.waitForLine(containing: "READONLY")
        _ = try await shop.redis.command("REPLICAOF", "NO", "ONE")
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(orders.count + 1)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("A Redis that is out of memory is waited for, and what was decided is still settled")
    func outOfMemory() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        let consumer = try await shop.startConsumer(
            "--batch-orders", "1", environment: ["STOCKTAKE_LOG_LEVEL": "warning"])
        try await shop.waitForOrders(1)
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "1")
        if try shop.count("orders") < orders.count {
            try await eventually("a warning or the end") {
                try consumer.standardError.contains("OOM") || shop.count("orders") == orders.count
            }
        }
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "0")
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await expectRush(shop)
    }

    @Test("A Redis that starts out of memory is waited for with its reason")
    func outOfMemoryAtStart() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "1")
        let consumer = try shop.start(["consume"])
        let line = try await consumer.waitForLine(containing: "OOM")
        #expect(line.contains("waiting for Redis"))
        _ = try await shop.redis.command("CONFIG", "SET", "maxmemory", "0")
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await expectRush(shop)
    }

    @Test("Scripts that Redis forgets are loaded again")
    func scriptsFlushed() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        for batch in stride(from: 0, to: orders.count, by: 15) {
            _ = try await shop.redis.command("SCRIPT", "FLUSH")
            try await shop.publish(orders[batch..<batch + 15].map(\.message))
            try await shop.waitForOrders(batch + 15)
        }
        #expect(try await consumer.stop() == .exited(0))
        try await expectRush(shop)
    }

    @Test(
        "A key of another type stops the consumer with a clear message, and messages stay",
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
        try await expectRush(shop)
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

    @Test("A Redis without scripts stops the consumer with its own words")
    func withoutScripts() async throws {
        let shop = try await Shop()
        let poor = try await FakeServer.start { _, command in
            switch command.first {
            case "INFO": .answer("$23\r\nredis_version:7.2.0\r\n\r\n\r\n")
            case "HMGET": .answer("*6\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n")
            case "HSET", "UNLINK": .answer(":1\r\n")
            default: .answer("-ERR unknown command '\(command[0])'\r\n")
            }
        }
        let result = try await shop.run(["consume", "--redis-url", Self.text(of: poor.url)])
        #expect(result.status == 2)
        #expect(result.errors.contains("unknown command 'SCRIPT'"), "\(result.errors)")
    }

    /// A URL as it is given to the command.
    private static func text(of url: RedisURL) -> String { url.redacted }

    @Test("Everything flushed while messages are in memory or read is made good by publishing again")
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
        try await expectRush(shop)
    }

    @Test("An idle consumer installs the counters anew as often as they are lost")
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

    @Test("A counter edited by hand changes no decision")
    func editedCounter() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        // Half of the orders with counters that are too high, the others with ones that are too low.
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
        // A consumer's start installs the counters anew: what was edited and not used is gone, too.
        try await shop.consumeAll()
        try await expectRush(shop)
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
        // Publishers send again what has no outcome; all of it does no harm.
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await expectRush(shop)
    }

    @Test("A message that was delivered to a connection which is gone is found, with nothing else happening")
    func deliveredIntoNowhere() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        var stolen = 0
        for number in 1...20 where stolen == 0 {
            // A read of somebody who never answers; Redis serves those that wait in turn.
            async let thief = shop.redis.command(
                "XREADGROUP", "GROUP", "stocktake", "gone", "BLOCK", "300", "STREAMS", shop.keys.checkouts, ">")
            try await eventually("a reader that waits") {
                try await shop.redis.command("CLIENT", "LIST").string?.contains("cmd=xreadgroup") == true
            }
            try await shop.publish(
                ["a", "b"].map { SequentialModel.Order("\($0)-\(number)", ("PANEL", nil, 1)).message })
            if try await !thief.isNull { stolen += 1 }
            try await shop.waitForOrders(2 * number)
        }
        #expect(stolen > 0)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("SIGTERM ends a consumer within 10 s though Redis hangs")
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
        try await expectRush(shop)
    }

    @Test("A Redis user who may not do what is needed is waited for, inside scripts as well")
    func notPermitted() async throws {
        let shop = try await Shop()
        for right in ["-evalsha", "-xack"] {
            _ = try await shop.redis.command("ACL", "SETUSER", "default", right)
            let consumer = try shop.start(["consume", "--batch-orders", "5"])
            try await shop.publish(orders.map(\.message))
            try await consumer.waitForLine(
                containing: right == "-xack" ? "settling failed; trying again" : "waiting for Redis")
            _ = try await shop.redis.command("ACL", "SETUSER", "default", "+" + right.dropFirst())
            try await shop.waitForOrders(orders.count)
            #expect(try await consumer.stop() == .exited(0))
        }
        try await shop.consumeAll()
        try await expectRush(shop)
    }

    // MARK: - The ledger

    @Test("An older ledger under the log that a crash left behind is refused")
    func olderLedgerUnderNewerLog() async throws {
        let shop = try await Shop()
        let many = (0..<400).map { SequentialModel.Order("many-\($0)", ("PANEL", nil, 1 + $0 % 3)) }
        try await shop.publish(many.prefix(100).map(\.message))
        try await shop.consumeAll()
        let old = shop.folder.path(of: "old")
        try FileManager.default.copyItem(atPath: shop.ledger, toPath: old)
        let consumer = try await shop.startConsumer()
        try await shop.publish(many[100..<300].map(\.message))
        try await shop.waitForOrders(300)
        try shop.checkpoint()
        try await shop.publish(many[300...].map(\.message))
        try await shop.waitForOrders(400)
        _ = try await consumer.kill()
        // Not before the file's time differs from the log's: a person is slower than that.
        let killed = ContinuousClock.now
        try await eventually("a person's pace") { ContinuousClock.now - killed > .seconds(2) }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: old))
        try bytes.write(to: URL(fileURLWithPath: shop.ledger))
        let refused = try await shop.run(["consume", "--until-idle"])
        #expect(refused.status == 2)
        #expect(refused.errors.contains("its log (-wal) of a later state was left beside it"), "\(refused.errors)")
    }

    @Test("An older ledger put in place while the consumer was stopped stops the next one; adopted, it goes on")
    func olderLedger() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.prefix(20).map(\.message))
        try await shop.consumeAll()
        let files = FileManager.default
        try files.copyItem(atPath: shop.ledger, toPath: shop.folder.path(of: "old"))
        try await shop.publish(orders.suffix(40).map(\.message))
        try await shop.consumeAll()
        try files.removeItem(atPath: shop.ledger)
        try files.moveItem(atPath: shop.folder.path(of: "old"), toPath: shop.ledger)
        for _ in 1...2 {
            let refused = try await shop.run(["consume", "--until-idle"])
            #expect(refused.status == 2)
            #expect(refused.errors.contains("was replaced or has gone back in time"))
            #expect(try shop.count("orders") == 20)
        }
        try await shop.succeed("ledger", "adopt", "--yes")
        try await shop.consumeAll()
        try await expectRush(shop)
    }

    @Test("An older ledger that lacks only refusals and dead letters is refused as well, however often it is started")
    func olderLedgerWithoutSeq() async throws {
        let shop = try await Shop()
        let files = FileManager.default
        try await shop.publish([SequentialModel.Order("all", ("LAMP", nil, 7)).message])
        try await shop.consumeAll()
        try files.copyItem(atPath: shop.ledger, toPath: shop.folder.path(of: "old"))
        try await shop.publish([SequentialModel.Order("none", ("LAMP", nil, 1)).message])
        try await shop.consumeAll()
        try files.removeItem(atPath: shop.ledger)
        try files.moveItem(atPath: shop.folder.path(of: "old"), toPath: shop.ledger)
        for _ in 1...5 { #expect(try await shop.run(["consume", "--until-idle"]).status == 2) }
        try await shop.succeed("ledger", "adopt", "--yes")
        try await shop.consumeAll()
        #expect(
            try shop.query("SELECT id, status FROM orders ORDER BY id") == [["all", "accepted"], ["none", "refused"]])
        try await shop.expectConsistent()
    }

    @Test("A ledger made anew beside another one's counters is refused")
    func otherLedger() async throws {
        let shop = try await Shop()
        try await shop.consumeAll()
        try await shop.succeed("ledger", "drop", "--yes", "--keep-counters")
        try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        let refused = try await shop.run(["consume"])
        #expect(refused.status == 2)
        #expect(refused.errors.contains("the counters belong to another ledger"))
    }

    @Test("Another ledger put in place while the consumer runs stops it", arguments: ["older", "deleted"])
    func ledgerSwapped(how: String) async throws {
        let shop = try await Shop()
        try await shop.publish(orders.prefix(20).map(\.message))
        try await shop.consumeAll()
        let files = FileManager.default
        try files.copyItem(atPath: shop.ledger, toPath: shop.folder.path(of: "old"))
        let consumer = try await shop.startConsumer()
        try await shop.publish(orders[20..<40].map(\.message))
        try await shop.waitForOrders(40)
        if how == "older" {
            // Renamed over it: the path leads to another file at once.
            #expect(rename(shop.folder.path(of: "old"), shop.ledger) == 0)
        } else {
            try files.removeItem(atPath: shop.ledger)
        }
        try await shop.publish(orders[40...].map(\.message))
        #expect(try await consumer.waitForEnding() == .exited(2))
        #expect(consumer.standardError.contains("moved, deleted or replaced"))
        // Nothing of what went into nowhere was acknowledged without being recorded under the path.
        let outcomes = try await shop.outcomes().compactMap { $0["order_id"] }
        #expect(!outcomes.contains(orders[59].id))
    }

    @Test("A ledger that another process has locked is waited for")
    func locked() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: shop.ledger, configuration: configuration)
        try await other.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
        try await shop.publish(orders.map(\.message))
        let line = try await consumer.waitForLine(containing: "waiting for the ledger", within: .seconds(20))
        #expect(line.contains("another process holds its write lock"))
        #expect(try shop.count("orders") == 0)
        try await other.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        try await shop.waitForOrders(orders.count)
        #expect(try await consumer.stop() == .exited(0))
        try await expectRush(shop)
    }

    @Test("A ledger whose disk is full is waited for", .enabled(if: getuid() == 0, "mounting a small disk takes root"))
    func diskFull() async throws {
        let shop = try await Shop(catalog: nil)
        let disk = shop.folder.path(of: "disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        let mounting = try ChildProcess("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
        try #require(try await mounting.waitForEnding() == .exited(0), "\(mounting.standardError)")
        func unmount() async throws {
            _ = try await ChildProcess("umount", ["-l", disk]).waitForEnding()
        }
        do {
            let ledger = ["STOCKTAKE_LEDGER": "\(disk)/ledger.sqlite"]
            let catalog = try shop.folder.write(Shop.catalog, to: "products.json")
            #expect(try await shop.run(["sync", catalog], environment: ledger).status == 0)
            let ballast = "\(disk)/ballast"
            let consumer = try shop.start(["consume"], environment: ledger)
            try await consumer.waitForLine(containing: "consuming store")
            let free = try #require(
                try FileManager.default.attributesOfFileSystem(forPath: disk)[.systemFreeSize] as? Int)
            try Data(count: free).write(to: URL(fileURLWithPath: ballast))
            try await shop.publish(orders.map(\.message))
            let line = try await consumer.waitForLine(containing: "waiting for the ledger", within: .seconds(20))
            #expect(line.contains("the disk is full"))
            try FileManager.default.removeItem(atPath: ballast)
            try await eventually("everything acknowledged") {
                try await shop.outcomes().count == orders.count
            }
            #expect(try await consumer.stop() == .exited(0))
            let check = try await shop.run(["ledger", "check"], environment: ledger)
            #expect(check.output.contains("sound; store main, 60 orders"))
        } catch {
            try await unmount()
            throw error
        }
        try await unmount()
    }

    @Test(
        "A ledger that is none stops the consumer with a clear message",
        arguments: ["text", "other", "folder", "missing"])
    func noLedger(kind: String) async throws {
        let shop = try await Shop(catalog: nil)
        let expected: String
        switch kind {
        case "text":
            try String(repeating: "no database\n", count: 500).write(
                toFile: shop.ledger, atomically: true, encoding: .utf8)
            expected = "it is no SQLite database"
        case "other":
            let other = try DatabaseQueue(path: shop.ledger)
            try await other.write { db in try db.execute(sql: "CREATE TABLE t (x)") }
            try other.close()
            expected = "a SQLite database of another program"
        case "folder":
            try FileManager.default.createDirectory(atPath: shop.ledger, withIntermediateDirectories: false)
            expected = "it is a folder"
        default:
            expected = "there is no such file"
        }
        let result = try await shop.run(["consume"])
        #expect(result.status == 2)
        #expect(result.errors.contains("opening the ledger failed: on \(shop.ledger): "), "\(result.errors)")
        #expect(result.errors.contains(expected), "\(result.errors)")
    }
}
