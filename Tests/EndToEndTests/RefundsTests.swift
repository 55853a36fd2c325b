import Foundation
import StrictJSON
import TestSupport
import Testing

/// Refunds owed to customers, as the operator sees them.
@Suite struct RefundsTests {
    private func order(
        _ id: String, _ intent: String, _ product: String = "LAMP", _ units: Int = 1, more: String = ""
    ) -> String {
        """
        {"type": "checkout.completed", "payload": {"order_id": "\(id)", "payment_intent_id": "\(intent)", \
        "currency": "usd", \(more)"items": [{"product_id": "\(product)", "quantity": \(units), "unit_price": 50}]}}
        """
    }

    private func refunds(_ shop: Shop) async throws -> [JSONValue] {
        let output = try await shop.succeed("refunds", "list", "--json")
        let list = try JSONValue(parsing: output.trimmingCharacters(in: .newlines))
        #expect(list["next"] == .null)
        return list["refunds"]?.elements ?? []
    }

    @Test("A refused order, a dead letter and a second payment are owed until an order is accepted after all")
    func owed() async throws {
        let shop = try await Shop()
        #expect(try await shop.succeed("refunds", "list").hasSuffix("no refund is due\n"))
        try await shop.publish([
            order("cs_1", "pi_1", "LAMP", 7), order("cs_2", "pi_2", "LAMP", 2),
            order("cs_3", "pi_3", "LAMP", 1, more: #""total": 49, "#), order("cs_4", "pi_4", "GONE"),
            order("cs_5", "pi_5", "GONE"), order("cs_5", "pi_5", "GONE"),
            // A conflict with the payment that is known, and one with another.
            order("cs_1", "pi_1", "LAMP", 6), order("cs_1", "pi_9", "LAMP", 6),
            #"{"type": "checkout.completed", "payload": {"payment_intent_id": "pi_x", "total": "9.99"}}"#,
            #"{"type": "checkout.complete", "payload": {"order_id": "cs_6", "total": 5}}"#,
            order("cs_7", "pi_7", "LAMP", 1, more: #""total": 0, "#),
        ])
        // Truncated in the middle: everything before is known.
        try await shop.redis.command(
            "XADD", shop.keys.checkouts, "*", "type", "checkout.completed", "payload",
            #"{"order_id": "cs_8", "payment_intent_id": "pi_8", "total": 80, "currency": "eur", "items": [{"#)
        try await shop.consumeAll()
        let rows = try await refunds(shop)
        #expect(
            rows.map {
                "\($0["order_id"]?.string ?? "-") \($0["payment_intent_id"]?.string ?? "-") \($0["amount"]?.text ?? "")"
            }
            .sorted() == [
                "- pi_x null", "cs_1 pi_9 300", "cs_2 pi_2 100", "cs_3 pi_3 49", "cs_4 pi_4 50", "cs_5 pi_5 50",
                "cs_8 pi_8 80",
            ])
        func row(_ order: String) throws -> JSONValue { try #require(rows.first { $0["order_id"]?.string == order }) }
        #expect(try row("cs_2")["is_worked_out"] == true && row("cs_3")["is_worked_out"] == false)
        #expect(try rows.filter { $0["check_first"] == true } == [row("cs_1")])
        #expect(try row("cs_1")["reason"] == "order_conflict" && row("cs_2")["reason"] == "sold_out")
        #expect(try row("cs_8")["reason"] == "invalid_json" && row("cs_8")["currency"] == "eur")
        let table = try await shop.succeed("refunds", "list")
        #expect(table.hasSuffix("7 refunds are due: 549 usd, 80 eur in minor units, 1 of unknown amount\n"))
        #expect(table.contains("check first, worked out"))
        // The product now exists: the republished message leaves the list.
        _ = try await shop.run([
            "sync",
            try shop.folder.write(
                Shop.catalogue.dropLast(2)
                    + #", {"id": "GONE", "name": "G", "category": "kit", "dev_status": 5, "base_price": 5, "has_variants": false}]}"#,
                to: "more.json"),
        ])
        try await shop.succeed("dead-letters", "replay", "1")
        try await shop.publish([order("cs_5", "pi_5b", "GONE")])
        try await shop.consumeAll()
        #expect(
            try await refunds(shop).compactMap { $0["order_id"]?.string }.sorted() == ["cs_1", "cs_2", "cs_3", "cs_8"])
        try await shop.expectConsistent()
    }

    @Test("A refund that is recorded leaves the list, also in parts; recorded twice it counts once")
    func marked() async throws {
        let shop = try await Shop()
        try await shop.publish([
            order("cs_1", "pi_1", "LAMP", 8), order("cs_2", "pi_2", "GONE", more: #""total": 900, "#),
            order("cs_3", "pi_3", "LAMP", 1),
        ])
        // No consumer is running yet.
        try await shop.consumeAll()
        let sent = try await shop.run(["refunds", "mark", "cs_1", "--id", "r-0"])
        #expect(
            sent.status == 0 && sent.output == "cs_1: sent as r-0; it will be recorded once a consumer processes it\n"
        )
        let consumer = try await shop.startConsumer()
        try await eventually("the refund") { try shop.count("order_refunds") == 1 }
        #expect(try await refunds(shop).compactMap { $0["order_id"]?.string } == ["cs_2"])
        let part = try await shop.succeed(
            "refunds", "mark", "cs_2", "--amount", "300", "--currency", "USD", "--id", "r-1")
        #expect(part == "cs_2: recorded as r-1, still due: 600 usd\n")
        #expect(try await shop.succeed("refunds", "list").contains("300 paid back"))
        // The same once more, and other content under its id.
        #expect(
            try await shop.succeed("refunds", "mark", "cs_2", "--amount", "300", "--currency", "usd", "--id", "r-1")
                == part)
        let other = try await shop.run(["refunds", "mark", "cs_2", "--amount", "301", "--id", "r-1"])
        #expect(other.status == 1 && other.errors.contains("refund_conflict"))
        let euros = try await shop.run(["refunds", "mark", "cs_2", "--amount", "600", "--currency", "eur"])
        #expect(euros.status == 1 && euros.errors.contains("currency_mismatch"), "\(euros.errors)")
        let all = try await shop.run(["refunds", "mark", "cs_2", "cs_1", "cs_3", "--json"])
        let results = try JSONValue(parsing: all.output.trimmingCharacters(in: .newlines))["refunds"]?.elements ?? []
        #expect(results.compactMap { $0["result"]?.string } == ["recorded", "given_back_before", "not_due"])
        #expect(all.status == 1 && all.errors == "cs_3: nothing is due\n")
        #expect(try await shop.succeed("refunds", "list").hasSuffix("no refund is due\n"))
        #expect(try await consumer.stop() == .exited(0))
        let outcomes = try await shop.outcomes().filter { $0["outcome"] == "refunded" }
        #expect(outcomes.compactMap { $0["order_id"] } == ["cs_1", "cs_2", "cs_2"])
        #expect(outcomes.compactMap { $0["refund_id"] }.prefix(2) == ["r-0", "r-1"])
        #expect(outcomes.allSatisfy { $0["seq"] == "" && $0["units"] == "" })
        let user = try await shop.run(["outcomes", "list"])
        #expect(user.output.contains("refunded") && user.output.contains("r-1"))
        let orderDetails = try await shop.succeed("orders", "show", "cs_1")
        #expect(orderDetails.contains("r-0") && orderDetails.contains("REFUND"))
        try await shop.expectConsistent()
    }

    @Test("A refund that precedes its order waits for it, whether the order is recorded or a dead letter")
    func early() async throws {
        let shop = try await Shop()
        func refund(_ id: String, _ order: String) -> String {
            #"{"type": "order.refunded", "payload": {"refund_id": "\#(id)", "order_id": "\#(order)", "amount": 50}}"#
        }
        try await shop.publish([refund("r-1", "cs_1"), refund("r-2", "cs_2"), refund("r-3", "cs_3")])
        try await shop.consumeAll()
        #expect(try shop.query("SELECT reason FROM dead_letters") == Array(repeating: ["unknown_order"], count: 3))
        try await shop.publish([order("cs_1", "pi_1", "LAMP", 1), order("cs_2", "pi_2", "GONE")])
        try await shop.consumeAll()
        #expect(
            try shop.query("SELECT refund_id, status FROM dead_letters WHERE refund_id IS NOT NULL ORDER BY 1")
                == [["r-1", "replayed"], ["r-2", "replayed"], ["r-3", "open"]])
        #expect(try shop.query("SELECT id FROM order_refunds ORDER BY id") == [["r-1"], ["r-2"]])
        #expect(try await refunds(shop).isEmpty)
        try await shop.expectConsistent()
    }

    @Test("Erased or discarded payments stay owed, and a cancelled refused order says that it was cancelled")
    func kept() async throws {
        let shop = try await Shop()
        try await shop.publish([
            order("cs_1", "pi_1", "LAMP", 8), order("cs_2", "pi_2", "GONE"),
            SequentialModel.Cancellation("re_1", of: "cs_1").message,
        ])
        try await shop.consumeAll()
        let before = try await refunds(shop)
        #expect(
            before.map { $0["is_cancelled"] } == [false, true] || before.map { $0["is_cancelled"] } == [true, false])
        let erased = try await shop.succeed("orders", "erase", "cs_1", "cs_2", "--yes")
        #expect(erased.contains("Kept: id, payment intent, amount and currency of 2 refunds that are due"))
        #expect(try await refunds(shop) == before)
        #expect(try shop.query("SELECT stripe_payment_intent_id FROM orders") == [["NULL"]])
        let csv = try await shop.succeed("refunds", "list", "--csv").split(separator: "\n").map(String.init)
        #expect(csv.count == 3)
        #expect(csv[0] == "order_id,payment_intent_id,amount,currency,why,dead_letter,since,note")
        #expect(
            csv.contains {
                $0.hasPrefix("cs_1,pi_1,400,usd,insufficient,,20") && $0.hasSuffix(#","cancelled, worked out""#)
            })
        #expect(csv.contains { $0.hasPrefix("cs_2,pi_2,50,usd,unknown_product,1,20") && $0.hasSuffix(",worked out") })
        let paged = try await shop.run(["refunds", "list", "--csv", "--limit", "1"])
        #expect(paged.output.split(separator: "\n").count == 2 && paged.errors.contains("more: --after 2"))
        #expect(try await shop.run(["refunds", "list", "--csv", "--json"]).status == 64)
        #expect(try await shop.run(["refunds", "list"], environment: ["STOCKTAKE_LEDGER": "/nowhere"]).status == 2)
        try await shop.expectConsistent()
    }

    @Test("Commas and quotes of a message stay within their cells")
    func cells() async throws {
        let shop = try await Shop()
        // This character represents a byte of a path elsewhere.
        try await shop.publish([order("\u{10FFFD}", "pi", "LAMP", 9)])
        try await shop.consumeAll()
        let json = try await shop.succeed("refunds", "list", "--json")
        let list = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let ids = (list?["refunds"] as? [[String: Any]])?.compactMap { $0["order_id"] as? String }
        #expect(ids == ["\u{10FFFD}"])
        try await shop.publish([order("a,b", #"p\"i"#, "LAMP", 8)])
        try await shop.consumeAll()
        let csv = try await shop.succeed("refunds", "list", "--csv").split(separator: "\n")
        #expect(csv.count == 3 && csv[1].hasPrefix(#""a,b","p""i",400,usd,insufficient,"#), "\(csv)")
    }

    @Test("No text of a message is a formula in a spreadsheet, and our own text is unchanged")
    func formulas() async throws {
        let shop = try await Shop()
        let intents = [#"=HYPERLINK(\"http://x\",\"y\")"#, "+1", "-1", "@SUM(A1)", "＝1", "a=1", "1=1", "'=1"]
        for (number, intent) in intents.enumerated() {
            try await shop.publish([order(number == 1 ? "=1+1" : "o\(number)", intent, "LAMP", 8)])
        }
        try await shop.consumeAll()
        let csv = try await shop.succeed("refunds", "list", "--csv").split(separator: "\n").dropFirst().reversed()
        let begins = [
            #"o0,"'=HYPERLINK(""http://x"",""y"")",400,"#, "'=1+1,'+1,400,", "o2,'-1,400,", "o3,'@SUM(A1),400,",
            "o4,'＝1,400,",
            "o5,a=1,400,", "o6,1=1,400,", "o7,'=1,400,",
        ]
        #expect(csv.count == begins.count)
        for (line, begin) in zip(csv, begins) {
            #expect(line.hasPrefix(begin + "usd,insufficient,,20"), "\(line)")
        }
    }
}
