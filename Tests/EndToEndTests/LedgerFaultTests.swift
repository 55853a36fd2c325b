import Foundation
import GRDB
import RedisClient
import TestSupport
import Testing

/// A ledger that fails: the consumer waits where waiting helps, stops with a clear message where it does not, and loses
/// nothing.
@Suite(.serialized) struct LedgerFaultTests {
    private let orders = SequentialModel.rush

    @Test(
        "An older ledger beside a crashed process' log is refused, also after it was read",
        arguments: ["written over", "put there again"])
    func olderLedgerUnderNewerLog(how: String) async throws {
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
        let whole = shop.folder.path(of: "whole")
        for file in ["", "-wal"] { try FileManager.default.copyItem(atPath: shop.ledger + file, toPath: whole + file) }
        if how == "put there again" { try FileManager.default.removeItem(atPath: shop.ledger) }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: old))
        try bytes.write(to: URL(fileURLWithPath: shop.ledger))
        _ = try await shop.run(["orders", "list"])
        for arguments in [["consume", "--until-idle"], ["sync", shop.folder.path(of: "products.json")]] {
            let refused = try await shop.run(arguments)
            #expect(refused.status == 2)
            #expect(
                refused.errors.contains("the log (-wal) beside the file belongs to a different state of the ledger"),
                "\(refused.errors)")
            #expect(refused.errors.contains("stocktake ledger restore FILE"))
        }
        // The two files that belong together are accepted, wherever they were in the meantime.
        for file in ["", "-wal"] {
            try FileManager.default.removeItem(atPath: shop.ledger + file)
            try FileManager.default.moveItem(atPath: whole + file, toPath: shop.ledger + file)
        }
        try await shop.consumeAll()
        try await shop.expectResult(of: many)
    }

    @Test("A damaged page is found before anything is sold into the ledger, and every process reports it")
    func damagedPage() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.prefix(20).map(\.message))
        try await shop.consumeAll()
        let backup = shop.folder.path(of: "backup")
        try await shop.succeed("ledger", "backup", backup)
        try shop.zero(page: Int(try shop.value("SELECT rootpage FROM sqlite_schema WHERE name = 'repairs'")) ?? 0)
        try await shop.publish(orders.suffix(40).map(\.message))
        let server = try await shop.startServing()
        for _ in 1...2 {
            let stopped = try await shop.run(["consume", "--until-idle"])
            #expect(stopped.status == 2 && !stopped.output.contains("consuming"), "\(stopped.output)")
            #expect(stopped.errors.contains("it is damaged: "), "\(stopped.errors)")
            #expect(stopped.errors.contains("put a backup in its place: 'stocktake ledger restore FILE'"))
        }
        #expect(try shop.count("orders") == 20)
        let ready = try await server.get("/readyz")
        // Redis' availability is unaffected.
        #expect(ready.status == 200 && ready.text.contains("it is damaged: "), "\(ready.text)")
        let status = try await server.office.get("/operator/status").json()
        #expect(status["ledger"]?["sound"] == .bool(false) && status["ledger"]?["ok"] == .bool(false))
        #expect(try await server.office.get("/metrics").text.contains("stocktake_ledger_sound 0"))
        #expect(try await server.process.stop() == .exited(0))
        let check = try await shop.run(["ledger", "check"])
        #expect(check.status == 1 && check.output.contains("stocktake ledger restore FILE"), "\(check.output)")
        try await shop.succeed("ledger", "restore", backup, "--yes")
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("A damaged page of a large ledger is found while consuming, which ends; the next start reads all first")
    func damagedPageInLargeLedger() async throws {
        let shop = try await Shop()
        try shop.edit(
            """
            WITH numbers (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM numbers WHERE value < 70)
            INSERT INTO dead_letters (
                position, is_checkout, entry_id, reason, detail, payload, bytes, is_whole, fingerprint, received_at)
            SELECT 1, 0, value || '-1', 'invalid_json', 'x', zeroblob(1000000), 1000000, 1, x'01', '2026' FROM numbers
            """)
        try shop.zero(
            page: Int(try shop.value("SELECT rootpage FROM sqlite_schema WHERE name = 'catalogue_variants_product_id'"))
                ?? 0)
        let consumer = try await shop.startConsumer()
        #expect(try await consumer.waitForEnding(within: .seconds(30)) == .exited(2))
        #expect(consumer.standardError.contains("it is damaged: table catalogue_variants"), "\(consumer.standardError)")
        let again = try await shop.run(["consume"])
        #expect(again.status == 2 && !again.output.contains("consuming"), "\(again.output)")
    }

    @Test("An older ledger put in place while the consumer was stopped stops the next one; adopted, it is used")
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
        try await shop.expectResult(of: orders)
    }

    @Test("An older ledger that lacks only refusals and dead letters is refused, too, on every start")
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

    @Test("A ledger that was created again beside another ledger's counters is refused")
    func otherLedger() async throws {
        let shop = try await Shop()
        try await shop.consumeAll()
        try await shop.succeed("ledger", "drop", "--yes", "--keep-counters")
        try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        let refused = try await shop.run(["consume"])
        #expect(refused.status == 2)
        #expect(refused.errors.contains("the counters belong to another ledger"))
    }

    @Test("Another ledger put in place while the consumer runs stops the consumer", arguments: ["older", "deleted"])
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
            // Renamed over the ledger: from then on the path leads to another file.
            #expect(rename(shop.folder.path(of: "old"), shop.ledger) == 0)
        } else {
            try files.removeItem(atPath: shop.ledger)
        }
        try await shop.publish(orders[40...].map(\.message))
        #expect(try await consumer.waitForEnding() == .exited(2))
        #expect(consumer.standardError.contains("moved, deleted or replaced"))
        // Nothing written to the unlinked file was acknowledged without being recorded under the path.
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
        try await shop.expectResult(of: orders)
    }

    @Test(
        "A ledger whose disk is full is waited for, at startup as well",
        .enabled(if: getuid() == 0, "mounting a small disk takes root"), arguments: [false, true])
    func diskFull(atStart: Bool) async throws {
        let shop = try await Shop(catalogue: nil)
        let disk = shop.folder.path(of: "disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        let mounting = try ChildProcess("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
        try #require(try await mounting.waitForEnding() == .exited(0), "\(mounting.standardError)")
        func unmount() async throws {
            _ = try await ChildProcess("umount", ["-l", disk]).waitForEnding()
        }
        do {
            let ledger = ["STOCKTAKE_LEDGER": "\(disk)/ledger.sqlite"]
            let catalogue = try shop.folder.write(Shop.catalogue, to: "products.json")
            #expect(try await shop.run(["sync", catalogue], environment: ledger).status == 0)
            let ballast = "\(disk)/ballast"
            func start() throws -> ChildProcess { try shop.start(["consume"], environment: ledger) }
            var running: ChildProcess?
            if !atStart {
                running = try start()
                try await running?.waitForLine(containing: "consuming store")
            }
            let free = try #require(
                try FileManager.default.attributesOfFileSystem(forPath: disk)[.systemFreeSize] as? Int)
            try Data(count: free).write(to: URL(fileURLWithPath: ballast))
            try await shop.publish(orders.map(\.message))
            let consumer = try running ?? start()
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
        "A file that is not a ledger stops the consumer with a clear message",
        arguments: ["text", "other", "folder", "missing"])
    func noLedger(kind: String) async throws {
        let shop = try await Shop(catalogue: nil)
        let expected: String
        switch kind {
        case "text":
            try String(repeating: "no database\n", count: 500).write(
                toFile: shop.ledger, atomically: true, encoding: .utf8)
            expected = "it is not a SQLite database"
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
