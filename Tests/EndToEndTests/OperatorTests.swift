import Foundation
import TestSupport
import Testing

/// An operator's repairs while the store keeps running.
@Suite struct OperatorTests {
    private typealias Order = SequentialModel.Order

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// An order with every kind of customer data.
    private func personal(_ id: String) -> String {
        #"{"type": "checkout.completed", "payload": {"order_id": "\#(id)", "payment_intent_id": "pi_CANARY", "customer": {"id": "CANARY", "email": "CANARY@example.com"}, "shipping_address": {"name": "CANARY"}, "items": [{"product_id": "LAMP", "quantity": 2, "unit_price": 5}]}}"#
    }

    // MARK: - Removing

    /// Whether a text occurs in the ledger's file or its log.
    private func holds(_ text: String, _ shop: Shop) throws -> Bool {
        for path in [shop.ledger, shop.ledger + "-wal"] {
            guard let bytes = FileManager.default.contents(atPath: path) else { continue }
            if bytes.range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }

    @Test("Erased or discarded data is removed from the ledger's file and its log, with or without a consumer")
    func bytesGone() async throws {
        let shop = try await Shop()
        // Its payment is to be refunded, so its payment intent is kept.
        let unsold = personal("dead").replacing("LAMP", with: "NONE").replacing("pi_CANARY", with: "pi_owed")
        try await shop.publish([personal("first"), personal("second"), unsold])
        try await shop.consumeAll()
        #expect(try holds("CANARY", shop))
        let consumer = try await shop.startConsumer()
        let erased = try await shop.succeed("orders", "erase", "first", "--yes")
        #expect(erased.contains("overwritten in the ledger's file and its log"))
        try await shop.succeed("dead-letters", "discard", "1", "--yes")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.succeed("orders", "erase", "second", "--yes")
        #expect(try !holds("CANARY", shop))
        #expect(
            try shop.query("SELECT action, subject, \"by\" FROM audit ORDER BY id") == [
                ["erase_order", "first", NSUserName()], ["discard_dead_letter", "1", NSUserName()],
                ["erase_order", "second", NSUserName()],
            ])
        let audit = try await shop.succeed("audit", "list", "--limit", "1")
        #expect(audit.contains("erase_order") && audit.contains("second") && audit.contains("more: --after 3"))
        #expect(
            try shop.query("SELECT order_id, payment_intent_id, amount FROM refunds") == [["dead", "pi_owed", "10"]])
        try await shop.expectConsistent()
    }

    @Test("Erasing an order's data does not remove the cancellation that waits for it")
    func eraseKeepsEarlyCancellation() async throws {
        let shop = try await Shop()
        try await shop.publish([SequentialModel.Cancellation("c", of: "late").message])
        try await shop.consumeAll()
        #expect(try await shop.run(["orders", "erase", "late", "--yes"]).status == 1)
        try await shop.publish([Order("late", ("LAMP", nil, 2)).message])
        try await shop.consumeAll()
        #expect(try shop.query("SELECT id, status FROM orders") == [["late", "cancelled"]])
    }

    @Test("A ledger can be adopted although a manual edit put an out-of-range epoch into Redis")
    func wildEpoch() async throws {
        let shop = try await Shop()
        let orders = [Order("o", ("LAMP", nil, 2))]
        try await shop.publish(orders.map(\.message))
        try await shop.consumeAll()
        _ = try await shop.redis.command("HSET", shop.keys.stock, "epoch", "9223372036854775807")
        #expect(try await shop.run(["consume", "--until-idle"]).status == 2)
        try await shop.succeed("ledger", "adopt", "--yes")
        try await shop.consumeAll()
        try await shop.expectResult(of: orders)
    }

    @Test("A backup of another ledger is restored only on explicit request")
    func otherLedger() async throws {
        let (shop, other) = (try await Shop(), try await Shop())
        try await shop.publish([Order("o", ("LAMP", nil, 2)).message])
        try await shop.consumeAll()
        let backup = other.folder.path(of: "backup.sqlite")
        try await other.succeed("ledger", "backup", backup)
        let refused = try await shop.run(["ledger", "restore", backup, "--yes"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--other-ledger"))
        #expect(try shop.count("orders") == 1)
        try await shop.expectConsistent()
        try await shop.succeed("ledger", "restore", backup, "--yes", "--other-ledger")
        try await shop.consumeAll()
        // The messages in the stream are decided again.
        #expect(try shop.count("orders") == 1)
    }

    // MARK: - Dead letters

    @Test("Many dead letters, large ones among them, are each republished exactly once")
    func replayMany() async throws {
        let shop = try await Shop()
        let padding = String(repeating: "x", count: 900_000)
        let messages = (0..<20).map { number in
            let text = Order("o-\(number)", ("NONE", nil, 1)).message
            return number % 2 == 0
                ? text : text.replacing("{\"order_id\"", with: "{\"note\": \"\(padding)\", \"order_id\"")
        }
        try await shop.publish(messages)
        try await shop.consumeAll()
        #expect(try shop.count("dead_letters") == 20)
        try await shop.succeed("dead-letters", "replay", "--reason", "unknown_product")
        try await shop.consumeAll()
        #expect(try await shop.redis.command("XLEN", shop.keys.checkouts).int == 40)
        #expect(
            try shop.query("SELECT status, count(*) FROM dead_letters GROUP BY 1 ORDER BY 1") == [
                ["open", "20"], ["replayed", "20"],
            ])
        try await shop.expectConsistent()
    }

    @Test("Dead letters whose product has been added are republished by the running consumer")
    func replay() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        try await shop.publish(
            [Order("a", ("NEW", nil, 1)).message, Order("b", ("NEW", nil, 2)).message, "{}"]
                .filter { $0 != "{}" })
        try await eventually("dead letters") { try shop.count("dead_letters") == 2 }
        let unknown = try await shop.run(["dead-letters", "replay", "1", "7"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("nothing was replayed: the ledger has no dead letter 7."))
        let catalogue = Shop.catalogue.replacing(#""id": "PANEL""#, with: #""id": "NEW""#)
        try await shop.succeed("sync", shop.folder.write(catalogue, to: "new.json"))
        let output = try await shop.succeed("dead-letters", "replay", "--reason", "unknown_product")
        #expect(output.contains("2 dead letters to be published again; the active consumer"))
        try await shop.waitForOrders(2)
        #expect(
            try shop.query("SELECT id, status FROM orders ORDER BY id") == [["a", "accepted"], ["b", "accepted"]])
        try await eventually("both replayed") {
            try shop.query("SELECT DISTINCT status FROM dead_letters") == [["replayed"]]
        }
        let again = try await shop.run(["dead-letters", "replay", "2"])
        #expect(again.status == 1)
        #expect(again.errors.contains("it was already published again"))
        let listed = try json(try await shop.succeed("dead-letters", "list", "--status", "replayed", "--json"))
        let letters = try #require(listed["dead_letters"] as? [[String: Any]])
        #expect(letters.compactMap { $0["resolved_at"] as? String }.count == 2)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("Without a consumer the next one republishes them; a dead letter awaiting that is not discarded")
    func replayLater() async throws {
        let shop = try await Shop()
        try await shop.publish([Order("a", ("NONE", nil, 1)).message])
        try await shop.consumeAll()
        let output = try await shop.succeed("dead-letters", "replay", "1")
        #expect(output.contains("no consumer is active: the next one does so when it starts"))
        let refused = try await shop.run(["dead-letters", "discard", "1", "--yes"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("it is to be published again"))
        try await shop.consumeAll()
        // It still cannot be processed: the new dead letter takes its place.
        #expect(
            try shop.query("SELECT id, status FROM dead_letters ORDER BY id") == [["1", "replayed"], ["2", "open"]])
        let unasked = try await shop.run(["dead-letters", "discard", "2"])
        #expect(unasked.status == 1 && unasked.errors.contains("--yes"))
        try await shop.succeed("dead-letters", "discard", "1", "2", "--yes")
        #expect(try shop.value("SELECT count(*) FROM dead_letters WHERE payload IS NULL AND type IS NULL") == "2")
        let shown = try await shop.succeed("dead-letters", "show", "2")
        #expect(shown.contains("status       discarded (20"))
        #expect(try await shop.run(["dead-letters", "replay", "2"]).status == 1)
        #expect(try await shop.run(["dead-letters", "replay"]).status == 64)
        // When the stream is read again from the beginning, they do not change.
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await shop.consumeAll()
        #expect(try shop.query("SELECT DISTINCT status FROM dead_letters") == [["discarded"]])
        try await shop.expectConsistent()
    }

    // MARK: - Orders

    @Test("An erased order has no customer, still counts, and a replay of its message changes nothing")
    func erase() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let conflict = personal("o").replacing(#""quantity": 2"#, with: #""quantity": 3"#)
        try await shop.publish([personal("o"), conflict])
        try await eventually("the conflict") { try shop.count("dead_letters") == 1 }
        let unknown = try await shop.run(["orders", "erase", "o", "nobody", "--yes"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("\"nobody\""))
        #expect(try shop.value("SELECT customer_id FROM orders") == "CANARY")
        #expect(try await shop.run(["orders", "erase", "o"]).status == 1)
        let output = try await shop.succeed("orders", "erase", "o", "--yes")
        #expect(output.contains("erased the customer's data of 1 order and the content of 1 dead letter"))
        #expect(output.contains("backups, and what"))
        func rows() throws -> [[String]] {
            try shop.query("SELECT * FROM orders") + shop.query("SELECT * FROM dead_letters")
        }
        let after = try rows()
        #expect(!after.joined().joined().contains("CANARY"))
        let outcomes = try await shop.outcomes().count
        try await shop.publish([personal("o")])
        try await eventually("the replay") { try await shop.outcomes().count == outcomes + 1 }
        #expect(try rows() == after)
        #expect(try await consumer.stop() == .exited(0))
        let shown = try await shop.succeed("orders", "show", "o")
        #expect(shown.contains("customer's data removed"))
        #expect(!shown.contains("CANARY"))
        try await shop.expectConsistent()
    }

    @Test("orders show lists all details of an order")
    func orderDetails() async throws {
        let shop = try await Shop()
        try await shop.publish([
            Order("o", ("CUBE", "BLACK", 3), ("LAMP", nil, 2)).message,
            SequentialModel.Cancellation("c-1", of: "o", ("CUBE", "BLACK", 2), ("PANEL", nil, 1)).message,
            SequentialModel.Cancellation("c-2", of: "o", ("LAMP", nil, 1), restock: false).message,
            Order("o", ("LAMP", nil, 1)).message,
        ])
        try await shop.consumeAll()
        let orderDetails = try json(try await shop.succeed("orders", "show", "o", "--json"))
        let cancellations = try #require(orderDetails["cancellations"] as? [[String: Any]])
        #expect(cancellations.compactMap { $0["cancellation_id"] as? String } == ["c-1", "c-2"])
        #expect(cancellations.compactMap { $0["restock"] as? Bool } == [true, false])
        #expect(cancellations[0]["seq"] as? Int == 2 && cancellations[1]["seq"] is NSNull)
        let items = cancellations.flatMap { $0["items"] as? [[String: Any]] ?? [] }
        #expect(items.compactMap { $0["asked"] as? Int } == [2, 1, 1])
        #expect(items.compactMap { $0["released"] as? Int } == [2, 0, 1])
        #expect(items.compactMap { $0["given_back"] as? Int } == [2, 0, 0])
        let owned = try #require(orderDetails["owned"] as? [[String: Any]])
        #expect(owned.compactMap { $0["product_id"] as? String } == ["CUBE", "LAMP"])
        #expect(owned.compactMap { $0["quantity"] as? Int } == [1, 1])
        let letters = try #require(orderDetails["dead_letters"] as? [[String: Any]])
        #expect(letters.compactMap { $0["reason"] as? String } == ["order_conflict"])
        #expect(orderDetails["erased_at"] is NSNull)
        let text = try await shop.succeed("orders", "show", "o")
        #expect(text.contains("cancellation c-2"))
        #expect(text.contains("not restocked"))
        #expect(text.contains("still owns: 1 of CUBE, BLACK; 1 of LAMP"))
        #expect(text.contains("order_conflict"))
    }
}
