import Failpoints
import Foundation
import TestSupport
import Testing

/// Backing up and restoring the ledger while the store keeps running.
@Suite struct BackupTests {
    private typealias Order = SequentialModel.Order

    private let orders = (0..<1_500).map { Order("o-\($0)", ("PANEL", nil, 1 + $0 % 3), ("CUBE", "RED", 1)) }

    /// A shop with a backup of the first third of the orders and a ledger that holds all of them.
    private func shopWithBackup() async throws -> (Shop, backup: String) {
        let shop = try await Shop(redis: Shop.durable)
        let backup = shop.folder.path(of: "backup")
        let third = orders.count / 3
        try await shop.publish(orders.prefix(third).map(\.message))
        try await shop.consumeAll()
        try await shop.succeed("ledger", "backup", backup)
        try await shop.publish(orders[third...].map(\.message))
        try await shop.consumeAll()
        return (shop, backup)
    }

    @Test("A backup made under load, once restored, reaches the original's state after the rest of the stream")
    func underLoad() async throws {
        let shop = try await Shop()
        let backup = shop.folder.path(of: "backup")
        let consumer = try await shop.startConsumer("--batch-orders", "3")
        try await shop.publish(orders.map(\.message))
        try await shop.waitForOrders(20)
        let output = try await shop.succeed("ledger", "backup", backup)
        #expect(output.contains("sound"))
        #expect(try await shop.run(["ledger", "backup", backup]).status == 1)
        let busy = try await shop.run(["ledger", "restore", backup, "--yes"])
        #expect(busy.status == 1)
        #expect(busy.errors.contains("another process has it open"))
        try await shop.waitForOrders(orders.count, within: .seconds(60))
        #expect(try await consumer.stop() == .exited(0))
        let unasked = try await shop.run(["ledger", "restore", backup])
        #expect(unasked.status == 1)
        #expect(try shop.count("orders") == orders.count)
        let restored = try await shop.succeed("ledger", "restore", backup, "--yes")
        #expect(restored.contains("stream: holds everything since the backup"))
        #expect(restored.contains("ledger.sqlite.replaced-"))
        #expect(try shop.count("orders") < orders.count)
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
        let files = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path)
        #expect(!files.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".restoring") })
    }

    @Test("After a trim of the stream, restore says what is missing", arguments: ["readable", "lost", "everything"])
    func trimmed(replaced: String) async throws {
        let (shop, backup) = try await shopWithBackup()
        if replaced == "everything" {
            try await shop.redis.command("DEL", shop.keys.checkouts)
        } else {
            // Trims the first 600, which is 100 more than the backup has.
            try await shop.redis.command("XTRIM", shop.keys.checkouts, "MAXLEN", "900")
        }
        if replaced == "lost" { try FileManager.default.removeItem(atPath: shop.ledger) }
        let output = try await shop.succeed("ledger", "restore", backup, "--yes")
        switch replaced {
        case "readable":
            #expect(output.contains("the backup lacks 1,000 orders, 0 cancellations"))
            #expect(output.contains("stream: 100 of these are missing from it, sent from 20"), "\(output)")
            #expect(output.contains("publish those messages again"))
        case "lost":
            #expect(output.contains("replaced ledger: none"))
            #expect(output.contains("1,500 rows recorded up to seq"))
            #expect(output.contains("100 or more are lost. Publish all messages after 20"), "\(output)")
        default:
            #expect(output.contains("stream: 1,000 of these are missing from it"), "\(output)")
        }
        // Does what the output asks for.
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        #expect(try shop.count("orders") == orders.count)
        try await shop.expectConsistent()
    }

    /// What happened to Redis after the ledger was lost, and what restore then says about the stream.
    private static let losses: [(String, String)] = [
        ("created again", "holds 1 message, and 100 rows were recorded since the backup: 99 or more are lost"),
        ("empty", "has nothing since the backup"),
        ("older", "has nothing since the backup"),
        ("forgotten", "has nothing since the backup"),
        ("nothing", "Whether Redis has lost any cannot be known without the replaced ledger"),
    ]

    @Test("Restore does not claim that nothing is missing when it cannot know", arguments: losses)
    func unknown(loss: String, said: String) async throws {
        let shop = try await Shop()
        let backup = shop.folder.path(of: "backup")
        try await shop.publish(orders.prefix(50).map(\.message))
        try await shop.consumeAll()
        try await shop.succeed("ledger", "backup", backup)
        let first = try await shop.entryIDs().first ?? ""
        try await shop.publish(orders[50..<150].map(\.message))
        try await shop.consumeAll()
        for file in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: shop.ledger + file) }
        if loss != "nothing" { try await shop.redis.command("DEL", shop.keys.checkouts) }
        switch loss {
        case "created again": try await shop.publish([orders[150].message])
        case "empty":
            try await shop.redis.command("XGROUP", "CREATE", shop.keys.checkouts, "stocktake", "0", "MKSTREAM")
        case "older": try await shop.redis.command("XADD", shop.keys.checkouts, first, "type", "t", "payload", "{}")
        case "forgotten":
            try await shop.redis.command("FLUSHALL")
            try await shop.redis.command("XADD", shop.keys.checkouts, first, "type", "t", "payload", "{}")
        default: break
        }
        let output = try await shop.succeed("ledger", "restore", backup, "--yes")
        #expect(output.contains(said), "\(output)")
        #expect(!output.contains("holds everything since the backup"), "\(output)")
        #expect(output.contains("Start a consumer"))
    }

    @Test("Restore finds a message that Redis lost between two that it still holds")
    func hole() async throws {
        let (shop, backup) = try await shopWithBackup()
        let ids = try await shop.entryIDs()
        try await shop.redis.command("XDEL", shop.keys.checkouts, ids[700])
        let output = try await shop.succeed("ledger", "restore", backup, "--yes")
        #expect(output.contains("stream: 1 of these are missing from it, sent from 20"), "\(output)")
    }

    @Test("A damaged ledger is replaced, and restore says what it could not compare")
    func damaged() async throws {
        let (shop, backup) = try await shopWithBackup()
        // The newest rows are in the rightmost leaf of the table's B-tree.
        let page =
            Int(try shop.value("SELECT max(pageno) FROM dbstat WHERE name = 'journal' AND pagetype = 'leaf'")) ?? 0
        try shop.zero(page: page)
        let check = try await shop.run(["ledger", "check"])
        #expect(check.status == 1)
        #expect(check.output.contains("'stocktake ledger restore FILE' puts a backup in its place"), "\(check.output)")
        let output = try await shop.succeed("ledger", "restore", backup, "--yes")
        #expect(output.contains("it is damaged (journal"), "\(output)")
        #expect(output.contains("lacks at least"))
        #expect(!output.contains("holds everything since the backup") && !output.contains("lacks nothing"))
        #expect(output.contains("What was erased since the backup is not known in full"))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("The ledger is not replaced while a server reads it")
    func serving() async throws {
        let (shop, backup) = try await shopWithBackup()
        let server = try await shop.startServing()
        let refused = try await shop.run(["ledger", "restore", backup, "--yes"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("Stop that process (run, consume, serve"), "\(refused.errors)")
        #expect(try await server.process.stop() == .exited(0))
        try await shop.succeed("ledger", "restore", backup, "--yes")
    }

    @Test(
        "A crash while restoring over a file with another state's log leaves both, or the new ledger",
        arguments: Failpoint.ofRestore)
    func crashBesideLog(at point: Failpoint) async throws {
        let (shop, backup) = try await shopWithBackup()
        let consumer = try await shop.startConsumer()
        try await shop.publish([Order("last", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(orders.count + 1)
        _ = try await consumer.kill()
        try Data(contentsOf: URL(fileURLWithPath: backup)).write(to: URL(fileURLWithPath: shop.ledger))
        let refused = try await shop.run(["consume", "--until-idle"])
        #expect(refused.status == 2 && refused.errors.contains("belongs to a different state"), "\(refused.errors)")
        let copy = shop.folder.path(of: "copy")
        for command in [["orders", "list"], ["ledger", "backup", copy], ["ledger", "check"], ["serve"]] {
            let refused = try await shop.run(command)
            #expect(refused.status != 0 && refused.errors.contains("belongs to a different state"), "\(refused.errors)")
            #expect(refused.errors.contains("'stocktake ledger restore FILE'"))
        }
        #expect(!FileManager.default.fileExists(atPath: copy))
        func files() throws -> [Data] {
            try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: shop.ledger + $0)) }
        }
        let before = try files()
        let restore = try shop.start(
            ["ledger", "restore", backup, "--yes"], environment: ["STOCKTAKE_FAILPOINT": point.rawValue])
        #expect(try await restore.waitForEnding(within: .seconds(30)) == .signalled(SIGKILL))
        if [.restoreCopied, .restoreForgotten].contains(point) {
            #expect(try files() == before)
            #expect(try await shop.run(["consume", "--until-idle"]).status == 2)
            try await shop.succeed("ledger", "restore", backup, "--yes")
        }
        try await shop.consumeAll()
        try await shop.expectResult(of: orders + [Order("last", ("PANEL", nil, 1))])
        let names = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path)
        let log = try #require(names.first { $0.contains(".replaced-") && $0.hasSuffix("-wal") })
        #expect(try Data(contentsOf: shop.folder.url(of: log)) == before[1])
    }

    @Test("Without Redis nothing is changed")
    func withoutRedis() async throws {
        let (shop, backup) = try await shopWithBackup()
        await shop.redis.kill()
        let result = try await shop.run(["ledger", "restore", backup, "--yes"], within: .seconds(90))
        #expect(result.status == 2)
        #expect(try shop.count("orders") == orders.count)
        let files = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path)
        #expect(!files.contains { $0.hasSuffix(".restoring") || $0.contains(".replaced-") })
    }

    @Test(
        "A crash while restoring leaves the old ledger or the new one, and processing continues with either",
        arguments: Failpoint.ofRestore)
    func crash(at point: Failpoint) async throws {
        let (shop, backup) = try await shopWithBackup()
        let restore = try shop.start(
            ["ledger", "restore", backup, "--yes"], environment: ["STOCKTAKE_FAILPOINT": point.rawValue])
        #expect(try await restore.waitForEnding(within: .seconds(30)) == .signalled(SIGKILL))
        #expect(try shop.count("orders") == (point == .restoreDone ? orders.count / 3 : orders.count))
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
        // Restores once more, this time to completion.
        try await shop.succeed("ledger", "restore", backup, "--yes")
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("Restoring a backup with an older catalogue, or a since erased order, says what to do first")
    func advice() async throws {
        let (shop, backup) = try await shopWithBackup()
        try await shop.succeed("orders", "erase", "o-3", "--yes")
        let catalogue = Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 8"#)
        try await shop.succeed("sync", shop.folder.write(catalogue, to: "new.json"))
        let output = try await shop.succeed("ledger", "restore", backup, "--yes")
        #expect(output.contains("stocktake orders erase o-3"))
        #expect(output.contains("Before you start a consumer: stocktake sync FILE"))
    }
}
