import Foundation
import StrictJSON
import TestSupport
import Testing

/// The subcommands as their users see them: what they print, and their exit codes.
@Suite struct CommandTests {
    private let orders = SequentialModel.rush

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func catalog(adding product: String) -> String {
        String(Shop.catalog.dropLast(2))
            + """
            , {"id": "\(product)", "name": "New", "category": "kit", "dev_status": 5, "base_price": 5,
             "has_variants": false, "max_quantity": 3}]}
            """
    }

    // MARK: - sync

    @Test("sync says what changes, keeps what is sold, closes what is gone, and reopens what is back")
    func sync() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        let sold = try shop.query("SELECT id, sold_quantity FROM products ORDER BY id")
        let again = try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        #expect(again == "8 unchanged; catalogue version 1\n")
        let changed = try shop.folder.write(
            Shop.catalog.replacing(#""max_quantity": 7"#, with: #""max_quantity": 5"#)
                .replacing(#""id": "PANEL""#, with: #""id": "SHEET""#), to: "changed.json")
        let dry = try await shop.run(["sync", "--dry-run", changed])
        #expect(dry.output.contains("1 added, 1 changed, 1 closed, 6 unchanged; catalogue version 1 (dry run)"))
        #expect(try shop.value("SELECT max_quantity FROM products WHERE id = 'LAMP'") == "7")
        let done = try await shop.run(["sync", changed])
        #expect(done.status == 0)
        #expect(done.output.contains("changed product LAMP: max_quantity 7 → 5"))
        #expect(done.output.contains("closed product PANEL"))
        #expect(done.errors.contains("max_quantity 5 is below the 7 sold already"))
        #expect(try shop.value("SELECT is_active FROM products WHERE id = 'PANEL'") == "0")
        let back = try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        #expect(back.contains("reopened product PANEL"))
        #expect(
            try shop.query("SELECT id, sold_quantity FROM products WHERE id != 'SHEET' ORDER BY id") == sold)
    }

    @Test("sync reports every violation at once with its path, and writes nothing")
    func syncInvalid() async throws {
        let shop = try await Shop()
        let wrong = Shop.catalog.replacing(#""max_quantity": 7"#, with: #""max_quantity": 0"#)
            .replacing(#""dev_status": 5, "base_price": 5,"#, with: #""dev_status": 9, "base_price": 5,"#)
        let result = try await shop.run(["sync", try shop.folder.write(wrong, to: "wrong.json")])
        #expect(result.status == 1)
        #expect(result.errors.contains("products[2].max_quantity"))
        #expect(result.errors.contains("products[3].dev_status"))
        #expect(result.errors.contains("2 violations; nothing was written"))
        let moved = Shop.catalog.replacing("GREEN", with: "X").replacing("BLACK", with: "GREEN")
        let refused = try await shop.run(["sync", try shop.folder.write(moved, to: "moved.json")])
        #expect(refused.status == 1)
        #expect(refused.errors.contains(#"variant "GREEN" belongs to product "OTHER""#))
        #expect(try shop.value("SELECT catalogue_version FROM ledger") == "1")
        #expect(try await shop.run(["sync", "nowhere.json"]).status == 2)
    }

    @Test("A running consumer takes new products, caps and closings over while orders are decided")
    func syncWhileConsuming() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        // An order for a product that has arrived this moment is never a dead letter.
        for round in 1...5 {
            let file = try shop.folder.write(catalog(adding: "NEW-\(round)"), to: "new.json")
            try await shop.succeed("sync", file)
            try await shop.publish([
                SequentialModel.Order("n-\(round)-a", ("NEW-\(round)", nil, 3)).message,
                SequentialModel.Order("n-\(round)-b", ("NEW-\(round)", nil, 1)).message,
            ])
            try await shop.waitForOrders(2 * round)
        }
        #expect(try shop.count("dead_letters") == 0)
        #expect(
            try shop.query("SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 1")
                == [["accepted", "5"], ["refused", "5"]])
        // Idle, it brings the new catalogue into Redis by itself.
        let file = try shop.folder.write(
            catalog(adding: "NEW-5").replacing(#""max_quantity": 3"#, with: #""max_quantity": 9"#), to: "new.json")
        try await shop.succeed("sync", file)
        try await eventually("the new cap in Redis") {
            try await shop.redis.command("HGET", shop.keys.stock, "cap:p:NEW-5").string == "9"
        }
        #expect(try await shop.redis.command("HGET", shop.keys.stock, "closed:p:NEW-4").string == "1")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("Listeners hear of every product whose figures an order or a new catalogue has changed")
    func changes() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let listener = try ChildProcess(
            "redis-cli", ["-s", shop.redis.socketPath, "SUBSCRIBE", shop.keys.changes])
        try await listener.waitForLine(containing: "subscribe")
        try await shop.publish([SequentialModel.Order("a", ("LAMP", nil, 1)).message])
        try await listener.waitForLine(containing: "LAMP")
        let file = try shop.folder.write(
            Shop.catalog.replacing(#""max_quantity": 2"#, with: #""max_quantity": 3"#), to: "more.json")
        try await shop.succeed("sync", file)
        try await listener.waitForLine(containing: "OTHER")
        #expect(!listener.standardOutput.contains("CUBE"))
        #expect(try await consumer.stop() == .exited(0))
    }

    // MARK: - publish

    @Test("publish sends the good lines and names the bad ones")
    func publish() async throws {
        let shop = try await Shop()
        let payload = #"{"order_id" : "a",  "items":[{"product_id":"PANEL","quantity":1,"unit_price":1.0}]}"#
        let result = try await shop.run(
            ["publish", "-"],
            input: #"{"type":"checkout.completed","payload":\#(payload)}"# + "\n\nnonsense\n[1]\n"
                + #"{"type":7,"payload":{}}"# + "\n" + #"{"type":"x","payload":{},"more":1}"#)
        #expect(result.status == 1)
        #expect(result.output == "published 2 messages to stocktake:{main}:checkouts, refused 3\n")
        for line in [3, 4, 5] { #expect(result.errors.contains("standard input:\(line): ")) }
        // Nothing of it depends on a terminal.
        #expect(!result.errors.contains("\u{1B}"))
        let entries = try await shop.entries(of: shop.keys.checkouts)
        // The payload's bytes as they were, though the consumer will not take them.
        #expect(entries == [["type": "checkout.completed", "payload": payload], ["type": "x", "payload": "{}"]])
        await shop.redis.kill()
        let away = try await shop.run(["publish", "-"], input: #"{"type":"x","payload":{}}"#)
        #expect(away.status == 2)
        #expect(away.errors.contains("cannot connect to Redis"))
    }

    // MARK: - stock, orders, dead letters

    @Test("stock gives effective figures from Redis, and the ledger's when Redis is away")
    func stock() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        let before = try await shop.run(["stock", "--json"])
        #expect(try json(before.output)["source"] as? String == "ledger")
        try await shop.consumeAll()
        func figures(_ result: Shop.Result) throws -> [String: [String: Any]] {
            let products = try #require(try json(result.output)["products"] as? [[String: Any]])
            let all = products + products.flatMap { $0["variants"] as? [[String: Any]] ?? [] }
            return Dictionary(all.map { ($0["id"] as? String ?? "", $0) }, uniquingKeysWith: { $1 })
        }
        let result = try await shop.run(["stock", "--json"])
        let found = try json(result.output)
        #expect(found["source"] as? String == "redis")
        #expect(found["epoch"] as? Int == 1)
        #expect(found["seq"] as? Int == Int(try shop.value("SELECT seq FROM ledger")))
        let fromRedis = try figures(result)
        var model = SequentialModel()
        model.take(orders)
        for (id, figure) in fromRedis {
            #expect(figure["sold_quantity"] as? Int == model.sold[id, default: 0], "\(id)")
        }
        // The cube is sold out, and with it every variant, capped or not.
        #expect(fromRedis["RED"]?["available_quantity"] as? Int == 0)
        #expect(fromRedis["RED"]?["max_quantity"] is NSNull)
        #expect(fromRedis["RED"]?["is_available"] as? Bool == false)
        // Its only variant is sold out, and so the product, though it has no cap.
        #expect(fromRedis["OTHER"]?["is_available"] as? Bool == false)
        #expect(fromRedis["PANEL"]?["available_quantity"] is NSNull)
        #expect(fromRedis["PANEL"]?["is_available"] as? Bool == true)
        let table = try await shop.run(["stock", "LAMP"])
        #expect(
            table.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }[1] == [
                "LAMP", "7", "7", "0", "sold", "out",
            ])
        let unknown = try await shop.run(["stock", "LAMP", "NONE"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("NONE"))
        await shop.redis.kill()
        let away = try await shop.run(["stock"])
        #expect(away.status == 0)
        #expect(away.errors.contains("These are the ledger's figures"))
        #expect(try figures(try await shop.run(["stock", "--json"])).keys == fromRedis.keys)
    }

    @Test("orders lists refunds due page by page, and shows an order whole")
    func ordersListed() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        var model = SequentialModel()
        model.take(orders)
        let refused = Set(model.statuses.filter { $0.value == "refused" }.keys)
        var listed: [String] = []
        var after: String?
        repeat {
            let page = ["--limit", "4"] + (after.map { ["--after", $0] } ?? [])
            let result = try json(
                try await shop.run(["orders", "list", "--status", "refused", "--json"] + page).output)
            let orders = try #require(result["orders"] as? [[String: Any]])
            #expect(orders.count <= 4)
            listed += orders.compactMap { $0["id"] as? String }
            after = result["next"] as? String
        } while after != nil
        #expect(listed.count == refused.count && Set(listed) == refused)
        let id = try #require(refused.sorted().first)
        let shown = try await shop.run(["orders", "show", id])
        #expect(shown.output.contains("refused"))
        let whole = try json(try await shop.run(["orders", "show", id, "--json"]).output)
        #expect((whole["items"] as? [[String: Any]])?.isEmpty == false)
        #expect(whole["reason"] as? String != nil)
        #expect(try await shop.run(["orders", "show", "nobody"]).status == 1)
    }

    @Test("dead-letters lists and shows what can never be processed")
    func deadLetters() async throws {
        let shop = try await Shop()
        try await shop.publish([#"{"type":"x","payload":{"a":1}}"#, #"{"type":"checkout.completed","payload":{}}"#])
        try await shop.consumeAll()
        let list = try json(try await shop.run(["dead-letters", "list", "--json"]).output)
        let letters = try #require(list["dead_letters"] as? [[String: Any]])
        #expect(letters.compactMap { $0["reason"] as? String } == ["missing_field", "unknown_type"])
        let shown = try await shop.run(["dead-letters", "show", "1"])
        #expect(shown.status == 0)
        #expect(shown.output.contains(#"{"a":1}"#))
        let whole = try json(try await shop.run(["dead-letters", "show", "1", "--json"]).output)
        #expect(whole["payload_base64"] as? String == Data(#"{"a":1}"#.utf8).base64EncodedString())
        #expect(try await shop.run(["dead-letters", "show", "9"]).status == 1)
    }

    // MARK: - reconcile, ledger

    @Test("reconcile finds a counter, a cap and a closing that are not the ledger's, and says when it cannot tell")
    func reconcile() async throws {
        let shop = try await Shop()
        #expect(try await shop.run(["reconcile"]).status == 2)
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        #expect(try await shop.run(["reconcile"]).output.contains("8 counters compared at epoch 1"))
        _ = try await shop.redis.command("HINCRBY", shop.keys.stock, "sold:v:BLACK", "2")
        _ = try await shop.redis.command("HDEL", shop.keys.stock, "cap:p:LAMP")
        _ = try await shop.redis.command("HSET", shop.keys.stock, "closed:p:PANEL", "1", "sold:p:GHOST", "1")
        let found = try await shop.run(["reconcile", "--json"])
        #expect(found.status == 1)
        let report = try json(found.output)
        let drift = try #require(report["drift"] as? [[String: Any]])
        #expect(drift.compactMap { $0["id"] as? String } == ["BLACK", "LAMP", "PANEL"] || drift.count == 3)
        #expect(drift.first { $0["id"] as? String == "BLACK" }?["drift"] as? Int == 2)
        #expect(report["extra_fields"] as? Int == 1)
        await shop.redis.kill()
        #expect(try await shop.run(["reconcile"]).status == 2)
    }

    @Test("reconcile finds no drift, a hundred times, while orders flow")
    func reconcileUnderLoad() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer("--batch-orders", "3")
        let flow = (0..<4_000).map { SequentialModel.Order("flow-\($0)", ("PANEL", nil, 1 + $0 % 3)).message }
        try await shop.publish(flow)
        var rounds = 0
        while try shop.count("orders") < flow.count, rounds < 100 {
            let result = try await shop.run(["reconcile"])
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            rounds += 1
        }
        #expect(rounds > 0)
        try await shop.waitForOrders(flow.count, within: .seconds(60))
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("The ledger is created, checked, dropped and made anew, as the brief does")
    func ledger() async throws {
        let shop = try await Shop(catalog: nil)
        #expect(try await shop.run(["ledger", "check"]).status == 2)
        try await shop.succeed("ledger", "create")
        #expect(try await shop.run(["ledger", "create"]).status == 1)
        try await shop.succeed("sync", try shop.folder.write(Shop.catalog, to: "products.json"))
        try await shop.publish(orders.map(\.message))
        let consumer = try await shop.startConsumer()
        try await shop.waitForOrders(orders.count)
        #expect(try await shop.run(["ledger", "drop", "--yes"]).status == 1)
        #expect(try await consumer.stop() == .exited(0))
        let check = try await shop.run(["ledger", "check", "--json"])
        #expect(try json(check.output)["orders"] as? Int == orders.count)
        // Without a terminal there is nobody to ask.
        let unasked = try await shop.run(["ledger", "drop"])
        #expect(unasked.status == 1)
        #expect(unasked.errors.contains("--yes"))
        try await shop.succeed("ledger", "drop", "--yes")
        #expect(try await shop.redis.command("EXISTS", shop.keys.stock).int == 0)
        #expect(!FileManager.default.fileExists(atPath: shop.ledger))
        // What the stream still holds is there for the new ledger, from its beginning.
        try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await shop.consumeAll()
        var model = SequentialModel()
        model.take(orders)
        try model.expect(shop)
        try await shop.expectConsistent()
    }

    @Test("ledger check finds a sold quantity that its orders do not add up to")
    func tamperedLedger() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        try shop.edit("UPDATE products SET sold_quantity = sold_quantity + 1 WHERE id = 'PANEL'")
        let check = try await shop.run(["ledger", "check"])
        #expect(check.status == 1)
        #expect(check.output.contains("product PANEL: sold_quantity is"))
        #expect(check.output.contains("NOT SOUND"))
    }

    // MARK: - run

    @Test("run keeps a private Redis, from which a second terminal reads, and ends both on SIGTERM")
    func runAlone() async throws {
        let folder = try TemporaryFolder()
        let binary = try builtBinary("stocktake")
        let environment = ["STOCKTAKE_DATA": folder.path(of: "data"), "STOCKTAKE_REDIS_URL": ""]
        func command(_ arguments: String..., input: String = "") async throws -> ChildProcess {
            let process = try ChildProcess(binary, arguments, environment: environment, standardInput: input)
            _ = try await process.waitForEnding(within: .seconds(60))
            return process
        }
        _ = try await command("sync", try folder.write(Shop.catalog, to: "products.json"))
        let running = try ChildProcess(binary, ["run"], environment: environment)
        try await running.waitForLine(containing: "consuming store main", within: .seconds(30))
        let lines = orders.map(\.message).joined(separator: "\n")
        let published = try await command("publish", "-", input: lines)
        #expect(published.standardOutput.contains("published 60 messages"))
        try await eventually("everything decided") {
            try await command("orders", "list", "--json", "--limit", "100").standardOutput.contains("order-59")
        }
        let reconciled = try await command("reconcile")
        #expect(reconciled.ending == .exited(0))
        #expect(try await running.stop() == .exited(0))
        let socket = folder.path(of: "data/redis.sock")
        try await eventually("the private Redis' end") { !FileManager.default.fileExists(atPath: socket) }
        // Started again, it has forgotten nothing; dropped, it has forgotten everything.
        let again = try ChildProcess(binary, ["run", "--until-idle"], environment: environment)
        #expect(try await again.waitForEnding(within: .seconds(30)) == .exited(0))
        #expect(again.standardOutput.contains("0 accepted, 0 refused"))
        let dropped = try await command("ledger", "drop", "--yes")
        #expect(dropped.ending == .exited(0), "\(dropped.standardError)")
    }

    @Test("run never starts a second server beside one that hangs")
    func privateRedisHangs() async throws {
        let folder = try TemporaryFolder()
        let data = folder.path(of: "data")
        let environment = ["STOCKTAKE_DATA": data, "STOCKTAKE_REDIS_URL": ""]
        let binary = try builtBinary("stocktake")
        _ = try await ChildProcess(
            binary, ["sync", try folder.write(Shop.catalog, to: "products.json")], environment: environment
        ).waitForEnding()
        let running = try ChildProcess(binary, ["run"], environment: environment)
        try await running.waitForLine(containing: "consuming store", within: .seconds(30))
        let redis = try #require(
            Int32(try String(contentsOfFile: data + "/redis.pid", encoding: .utf8).filter(\.isNumber)))
        kill(redis, SIGSTOP)
        _ = try await running.kill()
        // A crash, and a new start while the server neither answers nor ends: it is there all the same.
        let again = try ChildProcess(binary, ["run"], environment: environment)
        try await again.waitForLine(containing: "cannot connect", within: .seconds(30))
        #expect(try String(contentsOfFile: data + "/redis.pid", encoding: .utf8).contains("\(redis)"))
        kill(redis, SIGCONT)
        try await again.waitForLine(containing: "consuming store", within: .seconds(30))
        #expect(try await again.stop() == .exited(0))
        try await eventually("the server's end") { kill(redis, 0) != 0 }
    }

    // MARK: - usage

    @Test(
        "Wrong usage is 64 with a message that names what is wrong",
        arguments: [
            (["nonsense"], "nonsense"), (["sync", "--nonsense"], "--nonsense"),
            (["stock", "--log-level", "loud"], "loud"),
            (["stock", "--redis-url", "http://x"], "redis://"), (["stock", "--batch-orders", "0"], "1 to"),
            (["orders", "list", "--limit", "0"], "--limit"),
        ])
    func wrongUsage(arguments: [String], named: String) async throws {
        let process = try ChildProcess(try builtBinary("stocktake"), arguments)
        #expect(try await process.waitForEnding() == .exited(64))
        #expect(process.standardError.contains(named), "\(process.standardError)")
    }

    @Test("Settings come from the flag, then the environment, then the file, then the default")
    func settings() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(#"{"ledger": "/nowhere/of-file", "store": "s"}"#, to: "settings.json")
        func ledgerNamed(_ arguments: [String], _ environment: [String: String]) async throws -> String {
            let process = try ChildProcess(
                try builtBinary("stocktake"), ["orders", "list"] + arguments, environment: environment)
            #expect(try await process.waitForEnding() == .exited(2))
            return process.standardError
        }
        let variable = ["STOCKTAKE_LEDGER": "/nowhere/of-variable", "STOCKTAKE_CONFIG": file]
        #expect(try await ledgerNamed(["--ledger", "/nowhere/of-flag"], variable).contains("/nowhere/of-flag"))
        #expect(try await ledgerNamed([], variable).contains("/nowhere/of-variable"))
        #expect(try await ledgerNamed(["--config", file], [:]).contains("/nowhere/of-file"))
        #expect(try await ledgerNamed([], ["STOCKTAKE_DATA": "/nowhere"]).contains("/nowhere/ledger.sqlite"))
        let typo = try folder.write(#"{"ledgr": "x"}"#, to: "typo.json")
        let refused = try ChildProcess(try builtBinary("stocktake"), ["stock", "--config", typo])
        #expect(try await refused.waitForEnding() == .exited(64))
        #expect(refused.standardError.contains(#"Did you mean "ledger"?"#))
    }

    @Test("The shipped settings file holds every setting at its default")
    func shippedSettings() async throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            try builtBinary("stocktake"), ["orders", "list", "--config", "config/stocktake.json"],
            environment: ["STOCKTAKE_DATA": folder.path])
        #expect(try await process.waitForEnding() == .exited(2))
        #expect(process.standardError.contains("there is no such file"))
    }
}
