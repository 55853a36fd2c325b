import StrictJSON
import TestSupport
import Testing

/// The history of an order and of a product, as the operator reads it.
@Suite struct HistoryTests {
    private typealias Order = SequentialModel.Order

    private func list(_ shop: Shop, _ arguments: String...) async throws -> [JSONValue] {
        let output = try await shop.succeed(arguments: arguments + ["--json"])
        return try JSONValue(parsing: output.trimmingCharacters(in: .newlines))["history"]?.elements ?? []
    }

    @Test("An order's history shows who did what to it, and that its customer's data was viewed")
    func orders() async throws {
        let shop = try await Shop()
        try await shop.publish([
            #"""
            {"type": "checkout.completed", "payload": {"order_id": "o-1", "by": "webhook", \#
            "customer": {"email": "a@example.com"}, "items": [{"product_id": "LAMP", "quantity": 2, "unit_price": 1}]}}
            """#,
            SequentialModel.Cancellation("c-1", of: "o-1").message,
            #"{"type": "order.refunded", "payload": {"refund_id": "r-1", "order_id": "o-1"}}"#,
        ])
        try await shop.consumeAll()
        // Viewing an order without customer data is not recorded.
        for _ in 1...2 { try await shop.succeed("orders", "show", "o-1") }
        try await shop.succeed("orders", "erase", "o-1", "--yes")
        try await shop.succeed("orders", "show", "o-1")
        let history = try await list(shop, "orders", "history", "o-1")
        #expect(
            history.map { $0["what"]?.string } == [
                "order", "cancellation", "refund", "show_order", "show_order", "erase_order",
            ])
        #expect(history[0]["by"] == "webhook" && history[0]["position"] == 2 && history[0]["outcome"] == "accepted")
        #expect(history[3]["by"] == history[5]["by"] && history[3]["position"] == nil)
        let table = try await shop.succeed("orders", "history", "o-1")
        #expect(table.contains("1:2") && table.contains("c-1") && table.contains("erase_order"), "\(table)")
        #expect(!table.contains("a@example.com"))
        let unknown = try await shop.run(["orders", "history", "none"])
        #expect(unknown.status == 1 && unknown.errors.contains("\"none\""))
        let audit = try await shop.succeed("audit", "list")
        #expect(audit.contains("show_order") && audit.contains("o-1"))
        try await shop.expectConsistent()
    }

    @Test("Viewing a dead letter is recorded, too")
    func deadLetters() async throws {
        let shop = try await Shop()
        try await shop.publish([#"{"type": "checkout.completed", "payload": {"order_id": "o-1"}}"#])
        try await shop.consumeAll()
        try await shop.succeed("dead-letters", "show", "1")
        let history = try await list(shop, "orders", "history", "o-1")
        #expect(history.map { $0["what"]?.string } == ["dead_letter", "show_dead_letter"])
        #expect(history.map { $0["id"]?.string } == ["1", "1"])
    }

    @Test("A product's history has adjustments, cancellations and caps, and the orders between them")
    func stock() async throws {
        let shop = try await Shop()
        try await shop.publish([
            Order("o-1", ("CUBE", "BLACK", 2)).message, Order("o-2", ("CUBE", "RED", 1)).message,
        ])
        try await shop.consumeAll()
        try await shop.publish([
            SequentialModel.Cancellation("c-1", of: "o-1").message, Order("o-3", ("CUBE", "BLACK", 1)).message,
        ])
        try await shop.consumeAll()
        let cube = try await list(shop, "stock", "history", "CUBE")
        #expect(cube.map { $0["what"]?.string } == ["orders", "cancellation", "orders", "catalogue"])
        #expect(cube.map { $0["units"] } == [1, -2, 3, .null] && cube[2]["orders"] == 2)
        let black = try await list(shop, "stock", "history", "BLACK", "--orders")
        #expect(black.map { $0["id"]?.string } == ["o-3", "c-1", "o-1", "1"])
        let first = try await shop.succeed("stock", "history", "CUBE", "--limit", "1")
        #expect(first.contains("2 orders") == false && first.contains("more: --after"), "\(first)")
        let unknown = try await shop.run(["stock", "history", "CUBEE"])
        #expect(unknown.status == 1 && unknown.errors.contains("Did you mean \"CUBE\"?"), "\(unknown.errors)")
    }
}
