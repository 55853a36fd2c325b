import Foundation
import GRDB
import RedisClient
import StrictJSON
import TestSupport
import Testing

/// What doctor finds in healthy stores and in unhealthy ones.
@Suite struct DoctorTests {
    private func examine(
        _ shop: Shop, _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> (Int32, [String: String], String) {
        let result = try await shop.run(["doctor", "--json"] + arguments, environment: environment)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.errors)")
        let checks = try #require(report["checks"] as? [[String: String]])
        let statuses = Dictionary(
            checks.map { ($0["check"] ?? "", $0["status"] ?? "") }, uniquingKeysWith: { $0 + " twice " + $1 })
        return (result.status, statuses, result.output)
    }

    @Test("In a healthy store nothing is bad or unknown; the only warnings are open dead letters and refunds")
    func well() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let consumer = try await shop.startConsumer()
        try await shop.publish(SequentialModel.rush.map(\.message) + [#"{"type":"x","payload":{}}"#])
        try await eventually("all") { try shop.count("orders") == 60 && shop.count("dead_letters") == 1 }
        try await eventually("nothing pending") { try await shop.pending() == 0 }
        let (status, checks, output) = try await examine(shop)
        #expect(status == 0)
        #expect(
            Set(checks.filter { $0.value != "ok" }.keys).subtracting(["disk"]) == ["dead_letters", "refunds"],
            "\(output)")
        #expect(checks["refunds"] == "warn")
        #expect(checks["ledger_soundness"] == nil)
        #expect(try await examine(shop, "--deep").1["ledger_soundness"] == "ok")
        let table = try await shop.run(["doctor"])
        #expect(table.output.contains("active: process \(consumer.processID)"))
        #expect(try await consumer.stop() == .exited(0))
        let (idle, idleChecks, idleOutput) = try await examine(shop)
        #expect(idle == 0)
        #expect(idleChecks["consumer"] == "warn")
        #expect(idleChecks["drift"] == "ok", "\(idleOutput)")
    }

    @Test("Settings that lose messages, exceed a cap or expose customers' data are found")
    func unwell() async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.consumeAll()
        try await shop.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        try await shop.redis.command("HINCRBY", shop.keys.stock, "sold:p:LAMP", "1")
        chmod(shop.ledger, 0o644)
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        let (status, checks, output) = try await examine(shop)
        #expect(status == 1)
        let expected = [
            "redis_eviction": "bad", "redis_append_only": "warn", "redis_appendfsync": "warn", "drift": "bad",
            "ledger_mode": "warn", "unread": "warn", "consumer": "warn",
        ]
        for (check, status) in expected { #expect(checks[check] == status, "\(check): \(output)") }
        try shop.edit("UPDATE product_counters SET sold_quantity = sold_quantity + 1 WHERE id = 'PANEL'")
        #expect(try await examine(shop).1["ledger_soundness"] == nil)
        #expect(try await examine(shop, "--deep").1["ledger_soundness"] == "bad")
    }

    /// The detail of one check.
    private func detail(_ check: String, _ output: String) throws -> String {
        guard case .array(let all) = try JSONValue(parsing: output)["checks"] else { return "" }
        return all.first { $0["check"]?.string == check }?["detail"]?.string ?? ""
    }

    @Test("A process that prevents the ledger's log from being restarted is named until its transaction ends")
    func longReader() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--operator-port", "0")
        let office = try HTTPAddress(in: try await consumer.waitForLine(containing: "operator page on http://"))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: shop.ledger, configuration: configuration)
        try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0; BEGIN; SELECT count(*) FROM orders")
        }
        let writer = try DatabaseQueue(path: shop.ledger)
        try await writer.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA wal_autocheckpoint = 0; CREATE TABLE ballast (bytes BLOB);
                    INSERT INTO ballast VALUES (zeroblob(150000000));
                    """)
        }
        let (status, checks, output) = try await examine(shop)
        #expect(status == 0 && checks["ledger_log"] == "warn", "\(output)")
        let found = try detail("ledger_log", output)
        #expect(found.contains("kept open by process \(getpid()) ("), "\(found)")
        #expect(found.hasPrefix("144.0 MiB, 144.0 MiB of it not in"), "\(found)")
        let page = try await office.get("/operator/status").json()
        #expect(page["ledger"]?["ok"] == true && page["ledger"]?["log_bytes"]?.integer ?? 0 > 150_000_000)
        #expect(page["ledger"]?["detail"]?.string?.contains("read transaction") == true, "\(page.text)")
        try await reader.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
        let ended = try await examine(shop)
        #expect(ended.1["ledger_log"] == "ok", "\(ended.2)")
        #expect(try detail("ledger_log", ended.2).contains("no process keeps a read transaction open"))
        // One order checkpoints the log, a later one restarts it, and then the space is returned.
        var number = 0
        try await eventually(within: .seconds(30), "a small log") {
            number += 1
            try await shop.sell("o-\(number)", ("PANEL", nil, 1))
            try await shop.waitForOrders(number)
            return try await office.get("/operator/status").json()["ledger"]?["log_bytes"]?.integer ?? .max < 70_000_000
        }
        #expect(try await consumer.stop() == .exited(0))
    }

    @Test("Another reader in the consumer group is named")
    func consumerNames() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--consumer", "ours")
        // Redis 7.0 lists only consumers that were delivered a message.
        try await shop.sell("first", ("PANEL", nil, 1))
        try await shop.waitForOrders(1)
        let alone = try await examine(shop).2
        #expect(try detail("consumer_names", alone) == "ours")
        let client = shop.redis.client()
        let thief = Task {
            var number = 0
            while !Task.isCancelled {
                for _ in 0..<5 {
                    number += 1
                    try await shop.sell("o-\(number)", ("PANEL", nil, 1))
                }
                var command = RedisCommand("XREADGROUP")
                command.append(contentsOf: [
                    "GROUP", "stocktake", "thief", "COUNT", "1", "BLOCK", "20", "STREAMS", shop.keys.checkouts, ">",
                ])
                _ = try await client.send(command)
            }
        }
        try await eventually(within: .seconds(60), "a thief") {
            let output = try await examine(shop).2
            return try detail("consumer_names", output).contains("read in one group")
        }
        thief.cancel()
        _ = await thief.result
        await client.close()
        #expect(try await consumer.stop() == .exited(0))
        // A consumer that has ended is not mentioned.
        let (_, checks, output) = try await examine(shop)
        #expect(checks["consumer_names"] == "ok", "\(output)")
    }

    @Test("Messages that were deleted before they were read are counted, and block nothing")
    func lost() async throws {
        let shop = try await Shop()
        let order = { (id: String) in SequentialModel.Order(id, ("PANEL", nil, 1)).message }
        try await shop.consumeAll()
        try await shop.publish([order("o1"), order("o2"), order("o3")])
        let entries = try await shop.redis.command("XRANGE", shop.keys.checkouts, "-", "+").array ?? []
        let second = try #require(entries[1].array?.first?.string)
        try await shop.redis.command("XDEL", shop.keys.checkouts, second)
        let result = try await shop.run(["consume", "--until-idle"])
        #expect(
            result.status == 0 && result.errors.contains("messages are missing from the stream"), "\(result.errors)")
        #expect(try shop.query("SELECT id FROM orders ORDER BY id") == [["o1"], ["o3"]])
        var (_, checks, output) = try await examine(shop)
        #expect(output.contains("1 message lost from the stream before processing"), "\(output)")
        #expect(checks["lost"] == "warn" && checks["unread"] == "ok" && checks["pending"] == "ok")
        // Read, not processed, and trimmed away by a publisher's MAXLEN.
        try await shop.publish([order("o4"), order("o5")])
        try await shop.redis.command(
            "XREADGROUP", "GROUP", "stocktake", "thief", "STREAMS", shop.keys.checkouts, ">")
        try await shop.redis.command("XTRIM", shop.keys.checkouts, "MAXLEN", "0")
        try await shop.publish([order("o6")])
        try await shop.consumeAll()
        (_, checks, output) = try await examine(shop)
        #expect(output.contains("3 messages lost from the stream"), "\(output)")
        #expect(checks["unread"] == "ok" && checks["pending"] == "ok")
        try await shop.expectConsistent()
    }

    @Test("Without Redis the ledger is still checked; without both doctor cannot tell")
    func away() async throws {
        let shop = try await Shop()
        await shop.redis.kill()
        let (status, checks, _) = try await examine(shop)
        #expect(status == 1)
        #expect(checks["redis"] == "bad" && checks["drift"] == "unknown" && checks["ledger_log"] == "ok")
        #expect(try await examine(shop, "--deep").1["ledger_soundness"] == "ok")
        let nowhere = shop.folder.path(of: "nowhere.sqlite")
        #expect(try await examine(shop, environment: ["STOCKTAKE_LEDGER": nowhere]).0 == 2)
    }
}
