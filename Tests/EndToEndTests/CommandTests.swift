import Foundation
import StrictJSON
import TestSupport
import Testing

/// The subcommands as their users see them: their output and their exit codes.
@Suite struct CommandTests {
    private let orders = SequentialModel.rush

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func catalogue(adding product: String) -> String {
        String(Shop.catalogue.dropLast(2))
            + """
            , {"id": "\(product)", "name": "New", "category": "kit", "dev_status": 5, "base_price": 5,
             "has_variants": false, "max_quantity": 3}]}
            """
    }

    // MARK: - sync

    @Test("sync prints the changes, keeps what was sold, closes what was removed, and reopens what returned")
    func sync() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        let sold = try shop.query("SELECT id, sold_quantity FROM products ORDER BY id")
        let again = try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        #expect(again == "8 unchanged; catalogue version 1\n")
        let changed = try shop.folder.write(
            Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 5"#)
                .replacing(#""id": "PANEL""#, with: #""id": "SHEET""#), to: "changed.json")
        let dry = try await shop.run(["sync", "--dry-run", changed])
        #expect(dry.output.contains("1 added, 1 changed, 1 closed, 6 unchanged; catalogue version 1 (dry run)"))
        #expect(try shop.value("SELECT max_quantity FROM products WHERE id = 'LAMP'") == "7")
        let done = try await shop.run(["sync", changed])
        #expect(done.status == 0)
        #expect(done.output.contains("changed product LAMP: max_quantity 7 → 5"))
        #expect(done.output.contains("closed product PANEL"))
        #expect(done.errors.contains("max_quantity 5 is below the 7 already sold"))
        #expect(try shop.value("SELECT is_active FROM products WHERE id = 'PANEL'") == "0")
        let back = try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        #expect(back.contains("reopened product PANEL"))
        #expect(
            try shop.query("SELECT id, sold_quantity FROM products WHERE id != 'SHEET' ORDER BY id") == sold)
    }

    @Test("sync reports every violation at once with its path, and writes nothing")
    func syncInvalid() async throws {
        let shop = try await Shop()
        let wrong = Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 0"#)
            .replacing(#""dev_status": 5, "base_price": 5,"#, with: #""dev_status": 9, "base_price": 5,"#)
        let result = try await shop.run(["sync", try shop.folder.write(wrong, to: "wrong.json")])
        #expect(result.status == 1)
        #expect(result.errors.contains("products[2].max_quantity"))
        #expect(result.errors.contains("products[3].dev_status"))
        #expect(result.errors.contains("2 violations; nothing was written"))
        let moved = Shop.catalogue.replacing("GREEN", with: "X").replacing("BLACK", with: "GREEN")
        let refused = try await shop.run(["sync", try shop.folder.write(moved, to: "moved.json")])
        #expect(refused.status == 1)
        #expect(refused.errors.contains(#"variant "GREEN" belongs to product "OTHER""#))
        #expect(try shop.value("SELECT catalogue_version FROM ledger") == "1")
        #expect(try await shop.run(["sync", "nowhere.json"]).status == 2)
    }

    @Test("A running consumer applies new products, caps and closings while orders are decided")
    func syncWhileConsuming() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        // An order for a product that was added a moment ago never becomes a dead letter.
        for round in 1...5 {
            let file = try shop.folder.write(catalogue(adding: "NEW-\(round)"), to: "new.json")
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
        // An idle consumer brings the new catalogue into Redis without a message.
        let file = try shop.folder.write(
            catalogue(adding: "NEW-5").replacing(#""max_quantity": 3"#, with: #""max_quantity": 9"#), to: "new.json")
        try await shop.succeed("sync", file)
        try await eventually("the new cap in Redis") {
            try await shop.redis.command("HGET", shop.keys.stock, "cap:p:NEW-5").string == "9"
        }
        #expect(try await shop.redis.command("HGET", shop.keys.stock, "closed:p:NEW-4").string == "1")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("Subscribers are notified of every product whose availability an order or a new catalogue changed")
    func changes() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let listener = try ChildProcess(
            "redis-cli", ["-s", shop.redis.socketPath, "SUBSCRIBE", shop.keys.changes])
        try await listener.waitForLine(containing: "subscribe")
        try await shop.publish([SequentialModel.Order("a", ("LAMP", nil, 1)).message])
        try await listener.waitForLine(containing: "LAMP")
        let file = try shop.folder.write(
            Shop.catalogue.replacing(#""max_quantity": 2"#, with: #""max_quantity": 3"#), to: "more.json")
        try await shop.succeed("sync", file)
        try await listener.waitForLine(containing: "OTHER")
        #expect(!listener.standardOutput.contains("CUBE"))
        #expect(try await consumer.stop() == .exited(0))
    }

    // MARK: - publish

    @Test("publish never sends more than its rate allows")
    func publishAtARate() async throws {
        let shop = try await Shop()
        let lines = (1...30).map { SequentialModel.Order("r-\($0)", ("LAMP", nil, 1)).message }
        let start = ContinuousClock.now
        try await shop.succeed("publish", "--rate", "60", "-", input: lines.joined(separator: "\n") + "\n")
        // The last batch of three is due after 27 of 60.
        #expect(ContinuousClock.now - start >= .milliseconds(450))
        #expect(try await shop.redis.command("XLEN", shop.keys.checkouts).int == 30)
        #expect(try await shop.run(["publish", "--rate", "0", "-"]).status == 64)
    }

    @Test("publish sends the valid lines and lists the invalid ones")
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
        // Without a terminal the output has no escape sequences.
        #expect(!result.errors.contains("\u{1B}"))
        let entries = try await shop.entries(of: shop.keys.checkouts)
        // The payload's bytes are unchanged although the consumer will not accept them.
        #expect(entries == [["type": "checkout.completed", "payload": payload], ["type": "x", "payload": "{}"]])
        await shop.redis.kill()
        let away = try await shop.run(["publish", "-"], input: #"{"type":"x","payload":{}}"#)
        #expect(away.status == 2)
        #expect(away.errors.contains("cannot connect to Redis"))
    }

    // MARK: - stock, orders, dead letters

    @Test("stock shows effective availability from Redis, and from the ledger while Redis is unavailable")
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
        // Its only variant is sold out, and therefore the product, although it has no cap.
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
        #expect(away.errors.contains("Showing the ledger's availability"))
        #expect(try figures(try await shop.run(["stock", "--json"])).keys == fromRedis.keys)
    }

    @Test("orders lists refused orders page by page, accepted and cancelled ones too, and shows an order whole")
    func ordersListed() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        var model = SequentialModel()
        model.take(orders)
        let accepted = model.statuses.filter { $0.value == "accepted" }.keys.sorted()
        let cancellations = accepted.prefix(9).map { SequentialModel.Cancellation("c-\($0)", of: $0) }
        try await shop.publish(cancellations.map(\.message))
        try await shop.consumeAll()
        let expected = [
            "refused": Set(model.statuses.filter { $0.value == "refused" }.keys),
            "accepted": Set(accepted.dropFirst(9)), "cancelled": Set(accepted.prefix(9)),
        ]
        for (status, ids) in expected {
            var listed: [String] = []
            var after: String?
            repeat {
                let page = ["--limit", "4"] + (after.map { ["--after", $0] } ?? [])
                let result = try json(
                    try await shop.run(["orders", "list", "--status", status, "--json"] + page).output)
                let orders = try #require(result["orders"] as? [[String: Any]])
                #expect(orders.count <= 4)
                listed += orders.compactMap { $0["id"] as? String }
                after = result["next"] as? String
            } while after != nil
            #expect(listed.count == ids.count && Set(listed) == ids, "\(status)")
            let numbers = try shop.query("SELECT id FROM orders ORDER BY number DESC").map { $0[0] }
            #expect(listed == numbers.filter { ids.contains($0) }, "latest first")
        }
        let refused = try #require(expected["refused"])
        let id = try #require(refused.sorted().first)
        let shown = try await shop.run(["orders", "show", id])
        #expect(shown.output.contains("refused"))
        let whole = try json(try await shop.run(["orders", "show", id, "--json"]).output)
        #expect((whole["items"] as? [[String: Any]])?.isEmpty == false)
        #expect(whole["reason"] as? String != nil)
        #expect(try await shop.run(["orders", "show", "nobody"]).status == 1)
    }

    @Test("dead-letters lists and shows messages that can never be processed")
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

    @Test("reconcile finds a counter, a cap and a closing that differ from the ledger, and says when it cannot tell")
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

    @Test("A ledger that another process reads is not dropped, and its counters stay")
    func dropWhileServed() async throws {
        let shop = try await Shop()
        try await shop.consumeAll()
        let server = try await Server(try shop.start(["serve"]), of: shop)
        try await server.waitForStatus(200)
        let refused = try await shop.run(["ledger", "drop", "--yes"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("another process has it open"), "\(refused.errors)")
        #expect(try await server.get("/v1/products").status == 200)
        #expect(try await server.process.stop() == .exited(0))
        try await shop.succeed("ledger", "drop", "--yes")
    }

    @Test("The ledger can be created, checked, dropped and created again")
    func ledger() async throws {
        let shop = try await Shop(catalogue: nil)
        #expect(try await shop.run(["ledger", "check"]).status == 2)
        try await shop.succeed("ledger", "create")
        #expect(try await shop.run(["ledger", "create"]).status == 1)
        try await shop.succeed("sync", try shop.folder.write(Shop.catalogue, to: "products.json"))
        try await shop.publish(orders.map(\.message))
        let consumer = try await shop.startConsumer()
        try await shop.waitForOrders(orders.count)
        #expect(try await shop.run(["ledger", "drop", "--yes"]).status == 1)
        #expect(try await consumer.stop() == .exited(0))
        let check = try await shop.run(["ledger", "check", "--json"])
        #expect(try json(check.output)["orders"] as? Int == orders.count)
        // Without a terminal the command cannot ask for confirmation.
        let unasked = try await shop.run(["ledger", "drop"])
        #expect(unasked.status == 1)
        #expect(unasked.errors.contains("--yes"))
        try await shop.succeed("ledger", "drop", "--yes")
        #expect(try await shop.redis.command("EXISTS", shop.keys.stock).int == 0)
        #expect(!FileManager.default.fileExists(atPath: shop.ledger))
        // The new ledger consumes the messages still in the stream from its beginning.
        try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test(
        "A path and a URL name the same ledger; a URL of another kind is rejected without showing its password"
    )
    func ledgerURL() async throws {
        let shop = try await Shop()
        let path = shop.folder.path(of: "new shop/ledger.db")
        let url = "sqlite://" + path.replacing(" ", with: "%20")
        #expect(try await shop.succeed("ledger", "create", "--ledger", url).contains("created the ledger \(path) "))
        #expect(try await shop.succeed("ledger", "check", "--ledger", path).hasPrefix("\(path): sound"))
        #expect(try await shop.run(["ledger", "create", "--ledger", path]).status == 1)
        for (wrong, why) in [
            ("postgresql://me:secret@host/db", "only sqlite:///PATH, or a path, is supported"),
            ("sqlite://ledger.db", "names no absolute path"), ("sqlite:///a?mode=ro", "has a parameter"),
            ("sqlite:///a%2", "has a parameter or an invalid % escape"),
        ] {
            let refused = try await shop.run(["ledger", "check", "--ledger", wrong])
            #expect(refused.status == 64 && refused.errors.contains(why), "\(wrong): \(refused.errors)")
            #expect(!refused.errors.contains("secret"))
        }
    }

    @Test("ledger check finds a sold quantity that differs from the sum of its orders")
    func tamperedLedger() async throws {
        let shop = try await Shop()
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        try shop.edit("UPDATE product_counters SET sold_quantity = sold_quantity + 1 WHERE id = 'PANEL'")
        let check = try await shop.run(["ledger", "check"])
        #expect(check.status == 1)
        #expect(check.output.contains("product PANEL: sold_quantity is"))
        #expect(check.output.contains("NOT SOUND"))
    }
}
