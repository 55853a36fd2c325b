import Foundation
import RedisClient
import TestSupport
import Testing

/// Every kind of message that can never be processed becomes a dead letter with its reason and its bytes, is
/// acknowledged, and holds up no other message.
@Suite struct BadInputTests {
    struct Row: Sendable {
        var name: String
        /// Field names and values of the entry.
        var fields: [[UInt8]]
        var reason: String

        init(_ name: String, payload: [UInt8], _ reason: String) {
            self.name = name
            self.reason = reason
            fields = ["type", "checkout.completed", "payload"].map { Array($0.utf8) } + [payload]
        }

        init(_ name: String, _ payload: String, _ reason: String) {
            self.init(name, payload: Array(payload.utf8), reason)
        }

        init(_ name: String, cancellation: String, _ reason: String) {
            self.init(name, fields: ["type", "order.cancelled", "payload", "{\(cancellation)}"], reason)
        }

        init(_ name: String, adjustment: String, _ reason: String) {
            let payload = #"{"adjustment_id":"a","reason":"sold at a fair",\#(adjustment)}"#
            self.init(name, fields: ["type", "stock.adjusted", "payload", payload], reason)
        }

        init(_ name: String, fields: [String], _ reason: String) {
            self.name = name
            self.reason = reason
            self.fields = fields.map { Array($0.utf8) }
        }
    }

    private static let cube = #"{"product_id":"CUBE","variant_id":"BLACK","quantity":1,"unit_price":1}"#

    private static func order(_ id: String, _ items: String) -> String { #"{"order_id":"\#(id)","items":[\#(items)]}"# }

    private static func panel(_ units: String, price: String = "1") -> String {
        order("bad", #"{"product_id":"PANEL","quantity":\#(units),"unit_price":\#(price)}"#)
    }

    static let rows: [Row] = [
        Row("invalid JSON", #"{"order_id":"#, "invalid_json"),
        Row("an array", "[]", "wrong_type"),
        Row("a wrong type", #"{"order_id":7,"items":[\#(cube)]}"#, "wrong_type"),
        Row("a wrong type in an optional field", #"{"order_id":"x","currency":7,"items":[\#(cube)]}"#, "wrong_type"),
        Row("no order id", #"{"items":[\#(cube)]}"#, "missing_field"),
        Row("an empty order id", order("", cube), "invalid_value"),
        Row("an order id of 256 bytes", order(String(repeating: "x", count: 256), cube), "invalid_value"),
        Row("no product id", order("bad", #"{"quantity":1,"unit_price":1}"#), "missing_field"),
        Row("no items", order("bad", ""), "invalid_value"),
        Row("quantity 0", panel("0"), "invalid_value"),
        Row("a negative quantity", panel("-1"), "invalid_value"),
        Row("a fractional quantity", panel("1.5"), "wrong_type"),
        Row("an integer written as a fraction", panel("2.0"), "wrong_type"),
        Row("a quantity above the limit", panel("1000001"), "invalid_value"),
        Row("a sum of money that is too large", panel("1000000", price: "9007199254740991"), "invalid_value"),
        Row(
            "an unknown product", order("bad", #"{"product_id":"NONE","quantity":1,"unit_price":1}"#), "unknown_product"
        ),
        Row(
            "an unknown variant",
            order("bad", #"{"product_id":"CUBE","variant_id":"NONE","quantity":1,"unit_price":1}"#),
            "unknown_variant"),
        Row(
            "a variant of another product",
            order("bad", #"{"product_id":"CUBE","variant_id":"GREEN","quantity":1,"unit_price":1}"#),
            "variant_of_another_product"),
        Row("no variant", order("bad", #"{"product_id":"CUBE","quantity":1,"unit_price":1}"#), "variant_required"),
        Row("a closed product", order("bad", #"{"product_id":"OLD","quantity":1,"unit_price":1}"#), "product_closed"),
        Row("an unknown type", fields: ["type", "order.teleported", "payload", "{}"], "unknown_type"),
        Row("a cancellation without an id", cancellation: #""order_id":"good-0""#, "missing_field"),
        Row("a cancellation without an order", cancellation: #""cancellation_id":"c""#, "missing_field"),
        Row(
            "a cancellation of an unknown order", cancellation: #""cancellation_id":"c","order_id":"no""#,
            "unknown_order"),
        Row(
            "a cancellation of nothing", cancellation: #""cancellation_id":"c","order_id":"good-0","items":[]"#,
            "invalid_value"),
        Row(
            "a cancellation of 0 units",
            cancellation: #""cancellation_id":"c","order_id":"good-0","items":[{"product_id":"PANEL","quantity":0}]"#,
            "invalid_value"),
        Row(
            "a restock that is no boolean", cancellation: #""cancellation_id":"c","order_id":"good-0","restock":"no""#,
            "wrong_type"),
        Row(
            "a cancellation of 2,001 items",
            cancellation: #""cancellation_id":"c","order_id":"good-0","items":["#
                + Array(repeating: #"{"product_id":"PANEL","quantity":1}"#, count: 2_001).joined(separator: ",") + "]",
            "too_many_items"),
        Row("an adjustment of 0", adjustment: #""product_id":"LAMP","sold":0"#, "invalid_value"),
        Row("an adjustment that is too large", adjustment: #""product_id":"LAMP","sold":1000000001"#, "invalid_value"),
        Row("an adjustment without a product", adjustment: #""sold":1"#, "missing_field"),
        Row("an adjustment of an unknown product", adjustment: #""product_id":"NONE","sold":1"#, "unknown_product"),
        Row("an adjustment without the variant", adjustment: #""product_id":"CUBE","sold":1"#, "variant_required"),
        Row(
            "an adjustment that takes away what was never added", adjustment: #""product_id":"LAMP","sold":-1"#,
            "adjustment_too_large"),
        Row("no payload", fields: ["type", "checkout.completed"], "missing_payload"),
        Row("no type", fields: ["payload", "{}"], "missing_type"),
        Row("other fields only", fields: ["a", "b", "c", "d"], "missing_type"),
        Row("2,001 items", order("bad", Array(repeating: cube, count: 2_001).joined(separator: ",")), "too_many_items"),
        Row("a payload over 1 MiB", String(repeating: " ", count: (1 << 20) + 1), "payload_too_large"),
        Row(
            "bytes that are not UTF-8", payload: Array(#"{"order_id":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8),
            "invalid_utf8"),
        Row(
            "the same order id with other content",
            order("good-0", #"{"product_id":"PANEL","quantity":9,"unit_price":1}"#), "order_conflict"),
    ]

    private static let oldProduct = """
        , {"id": "OLD", "name": "Old", "category": "kit", "dev_status": 5, "base_price": 5, "has_variants": false}]}
        """

    @Test("Each becomes a dead letter with its reason and its bytes, between orders that are processed")
    func deadLetters() async throws {
        // A product that was sold and then removed from the file.
        let shop = try await Shop()
        let withOld = String(Shop.catalogue.dropLast(2)) + Self.oldProduct
        try await shop.succeed("sync", try shop.folder.write(withOld, to: "with-old.json"))
        try await shop.succeed("sync", shop.folder.path(of: "products.json"))
        for (number, row) in Self.rows.enumerated() {
            try await shop.publish([SequentialModel.Order("good-\(number)", ("PANEL", nil, 1)).message])
            var command = RedisCommand("XADD")
            command.append(shop.keys.checkouts)
            command.append("*")
            for field in row.fields { command.append(field) }
            _ = try await shop.redis.client().send(command)
        }
        try await shop.consumeAll()
        let letters = try shop.query(
            "SELECT reason, hex(type), hex(payload), hex(fields) FROM dead_letters ORDER BY id")
        try #require(letters.count == Self.rows.count)
        for (row, letter) in zip(Self.rows, letters) {
            #expect(letter[0] == row.reason, "\(row.name)")
            func value(_ name: String) -> String {
                guard let at = row.fields.firstIndex(of: Array(name.utf8)) else { return "" }
                return row.fields[at + 1].map { String(format: "%02X", $0) }.joined()
            }
            #expect(letter[1] == value("type"), "\(row.name)")
            // Of a payload larger than any valid message, only the head is kept.
            let payload = value("payload")
            #expect(
                letter[2] == (row.reason == "payload_too_large" ? String(payload.prefix(2 * 65_536)) : payload),
                "\(row.name)")
            // An entry that is not exactly one type and one payload is kept whole.
            let isPlain =
                row.fields.count == 4 && row.fields[0] == Array("type".utf8) && row.fields[2] == Array("payload".utf8)
            #expect(letter[3].isEmpty == isPlain, "\(row.name)")
        }
        #expect(try shop.value("SELECT count(*) FROM orders WHERE status = 'accepted'") == "\(Self.rows.count)")
        // Publishers look up outcomes by order id, so it is included whenever it can be read.
        let ids = try shop.query(
            "SELECT order_id FROM dead_letters WHERE reason = 'invalid_value' AND order_id = 'bad'")
        #expect(ids.count == 5)
        let announced = try await shop.outcomes().filter { $0["outcome"] == "dead_letter" }.compactMap { $0["reason"] }
        #expect(announced == Self.rows.map(\.reason))
        try await shop.expectConsistent()
        // Reading the entries again changes nothing.
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await shop.consumeAll()
        #expect(try shop.count("dead_letters") == Self.rows.count)
        #expect(try shop.count("orders") == Self.rows.count)
    }

    @Test("A decided order stays decided although its dead twin has become possible")
    func deadLetterStaysDead() async throws {
        let shop = try await Shop()
        let message = SequentialModel.Order("early", ("LATER", nil, 1)).message
        try await shop.publish([message])
        try await shop.consumeAll()
        let later = String(Shop.catalogue.dropLast(2)) + Self.oldProduct.replacing("OLD", with: "LATER")
        try await shop.succeed("sync", try shop.folder.write(later, to: "later.json"))
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await shop.consumeAll()
        #expect(try shop.count("orders") == 0)
        // Published again it is a new entry, and possible.
        try await shop.publish([message])
        try await shop.consumeAll()
        #expect(try shop.query("SELECT id, status FROM orders") == [["early", "accepted"]])
    }

    @Test("No customer's name, email or address appears in the program's logs or output")
    func privacy() async throws {
        let shop = try await Shop()
        let personal = """
            "customer":{"id":"CANARY-1","email":"CANARY-2@example.org","name":"CANARY-3"},"shipping_address":\
            {"name":"CANARY-4","line1":"CANARY-5","city":"CANARY-6","postal_code":"CANARY-7","country":"CANARY-8"}
            """
        func message(_ id: String, _ rest: String) -> String {
            #"{"type":"checkout.completed","payload":{"order_id":"\#(id)",\#(personal),\#(rest)}}"#
        }
        try await shop.publish([
            message("fine", #""items":[{"product_id":"PANEL","quantity":1,"unit_price":1}]"#),
            message("refused", #""items":[{"product_id":"LAMP","quantity":99,"unit_price":1}]"#),
            message("unknown", #""items":[{"product_id":"NONE","quantity":1,"unit_price":1}]"#),
            message("wrong", #""items":[],"currency":{"of":"CANARY-9"}"#),
        ])
        let consumed = try await shop.run(["consume", "--until-idle", "--log-level", "trace"])
        let listed = try await shop.run(["dead-letters", "list"])
        #expect(try shop.count("dead_letters") == 2)
        for text in [consumed.output, consumed.errors, listed.output, "\(try await shop.outcomes())"] {
            #expect(!text.contains("CANARY"))
        }
    }
}
