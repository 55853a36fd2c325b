import Foundation
import TestSupport
import Testing

/// Cancelled units are given back exactly once, as judged by a plain sequential model.
@Suite struct CancellationTests {
    private typealias Order = SequentialModel.Order
    private typealias Cancellation = SequentialModel.Cancellation

    @Test(
        "Orders, cancellations and adjustments of any kind end as if processed one by one", arguments: [1, 3, 7, 1_024])
    func orderDetails(batch: Int) async throws {
        let shop = try await Shop()
        try await shop.publish(SequentialModel.orderDetails)
        try await shop.succeed("consume", "--until-idle", "--batch-orders", "\(batch)")
        try await shop.expectResult(of: SequentialModel.orderDetails)
        // Publishing everything once more changes nothing.
        try await shop.publish(SequentialModel.orderDetails)
        try await shop.consumeAll()
        try await shop.expectResult(of: SequentialModel.orderDetails)
    }

    @Test("Random histories end as if processed one by one, whatever the batch size")
    func random() async throws {
        for round in 1...3 {
            var generator = TestSeed.generator("random histories, round \(round)")
            let shop = try await Shop()
            var messages: [SequentialModel.Message] = []
            for number in 0..<150 {
                let earlier = "o-\(Int.random(in: 0...max(number, 1), using: &generator))"
                switch Int.random(in: 0..<10, using: &generator) {
                case 0..<5: messages.append(.order(.random("o-\(number)", &generator)))
                case 5..<9:
                    let id = "c-\(Int.random(in: 0...number, using: &generator))"
                    messages.append(.cancellation(.random(id, of: earlier, &generator)))
                default: if let again = messages.randomElement(using: &generator) { messages.append(again) }
                }
            }
            // Ids that two messages share, and cancellations that precede their orders, have separate tests. Here only
            // the first message of an id is kept, and only cancellations whose order has been sent.
            var (ids, orders): (Set<String>, Set<String>) = ([], [])
            messages = messages.filter { message in
                switch message {
                case .order(let order): orders.insert(order.id).inserted
                case .cancellation(let cancellation):
                    orders.contains(cancellation.order) && ids.insert(cancellation.id).inserted
                case .adjustment: true
                }
            }
            try await shop.publish(messages)
            let size = Int.random(in: 1...40, using: &generator)
            try await shop.succeed("consume", "--until-idle", "--batch-orders", "\(size)")
            try await shop.expectResult(of: messages)
        }
    }

    @Test("Units that a cancellation gave back can be sold again at once")
    func soldAgain() async throws {
        let shop = try await Shop()
        let messages: [SequentialModel.Message] = [
            .order(Order("first", ("OTHER", "GREEN", 2))), .order(Order("second", ("OTHER", "GREEN", 1))),
            .cancellation(Cancellation("c", of: "first", ("OTHER", "GREEN", 1))),
            .order(Order("third", ("OTHER", "GREEN", 1))), .order(Order("fourth", ("OTHER", "GREEN", 1))),
        ]
        try await shop.publish(messages)
        try await shop.consumeAll()
        #expect(
            try shop.query("SELECT id, status FROM orders ORDER BY id") == [
                ["first", "accepted"], ["fourth", "refused"], ["second", "refused"], ["third", "accepted"],
            ])
        try await shop.expectResult(of: messages)
    }

    @Test("A cancellation does not fail because of a lowered cap or a closed product")
    func lowered() async throws {
        let shop = try await Shop()
        try await shop.publish([Order("o", ("LAMP", nil, 6), ("OTHER", "GREEN", 1)).message])
        try await shop.consumeAll()
        let lowered = Shop.catalogue.replacing("\"max_quantity\": 7", with: "\"max_quantity\": 2")
            .replacing(#"{"id": "OTHER""#, with: #"{"id": "ANOTHER""#).replacing("GREEN", with: "BLUE")
        try await shop.succeed("sync", try shop.folder.write(lowered, to: "lowered.json"))
        try await shop.publish([Cancellation("c", of: "o", ("LAMP", nil, 3), ("OTHER", "GREEN", 1)).message])
        try await shop.consumeAll()
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "3")
        #expect(try shop.value("SELECT sold_quantity FROM variants WHERE id = 'GREEN'") == "0")
        try await shop.expectConsistent()
    }

    @Test("The same cancellation id with other content is a conflict, and so is an adjustment id")
    func conflicts() async throws {
        let shop = try await Shop()
        let adjustment = SequentialModel.Adjustment(id: "a", product: "LAMP", sold: 2)
        var other = adjustment
        other.sold = 3
        try await shop.publish([
            .order(Order("o", ("LAMP", nil, 4))), .cancellation(Cancellation("c", of: "o", ("LAMP", nil, 1))),
            .cancellation(Cancellation("c", of: "o", ("LAMP", nil, 2))),
            .cancellation(Cancellation("c", of: "o", ("LAMP", nil, 1), restock: false)), .adjustment(adjustment),
            .adjustment(other),
        ])
        try await shop.consumeAll()
        #expect(
            try shop.query("SELECT reason FROM dead_letters ORDER BY id") == [
                ["cancellation_conflict"], ["cancellation_conflict"], ["adjustment_conflict"],
            ])
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "5")
        try await shop.expectConsistent()
    }

    @Test("A cancellation of more than its order owns says so in its outcome and in the order's details")
    func notOwned() async throws {
        let shop = try await Shop()
        let messages = [
            Order("o", ("LAMP", nil, 2)).message,
            // A variant that the order never had, more than it owns, all the rest, and all once more.
            Cancellation("variant", of: "o", ("LAMP", "0", 1)).message,
            Cancellation("more", of: "o", ("LAMP", nil, 3), restock: false).message,
            Cancellation("rest", of: "o").message, Order("refused", ("LAMP", nil, 50)).message,
            Cancellation("of-refused", of: "refused", ("LAMP", nil, 50)).message,
            Cancellation("all-of-refused", of: "refused").message,
        ]
        let expected = [
            ["variant", "not_owned", "0"], ["more", "not_owned", "0"], ["rest", "", "0"],
            ["of-refused", "not_owned", "0"], ["all-of-refused", "", "0"],
        ]
        for _ in 1...2 {
            try await shop.redis.command("DEL", shop.keys.outcomes)
            try await shop.publish(messages)
            try await shop.consumeAll()
            let cancelled = try await shop.outcomes().filter { $0["outcome"] == "cancelled" }
            #expect(
                cancelled.map { [$0["cancellation_id"] ?? "", $0["reason"] ?? "-", $0["units"] ?? ""] } == expected)
        }
        #expect(
            try shop.query("SELECT id, not_owned FROM cancellations ORDER BY position") == [
                ["variant", "1"], ["more", "1"], ["rest", "0"], ["of-refused", "50"], ["all-of-refused", "0"],
            ])
        let orderDetails = try await shop.succeed("orders", "show", "o")
        #expect(orderDetails.contains("asked for 1 unit that the order did not own"), "\(orderDetails)")
        let json = try await shop.succeed("orders", "show", "refused", "--json")
        #expect(json.contains(#""not_owned":50"#) && json.contains(#""not_owned":0"#), "\(json)")
        try await shop.expectConsistent()
    }

    @Test("The outcome of a dead cancellation or adjustment carries its ids, also when it is read again")
    func deadIDs() async throws {
        let shop = try await Shop()
        let payloads: [(type: String, payload: String, ids: [String])] = [
            ("order.cancelled", #"{"cancellation_id":"c1","order_id":"o","items":[]}"#, ["o", "c1", ""]),
            ("order.cancelled", #"{"cancellation_id":"c2","order_id":"unknown"}"#, ["unknown", "c2", ""]),
            ("order.cancelled", #"{"cancellation_id":"c3"}"#, ["", "c3", ""]),
            ("stock.adjusted", #"{"adjustment_id":"a1","product_id":"NO","sold":1,"reason":"r"}"#, ["", "", "a1"]),
            ("stock.adjusted", #"{"adjustment_id":"a2","product_id":"LAMP","sold":-1,"reason":"r"}"#, ["", "", "a2"]),
            ("stock.adjusted", #"{"adjustment_id":"a3","sold":0}"#, ["", "", "a3"]),
            ("checkout.completed", #"{"order_id":"o1","items":[{"product_id""#, ["o1", "", ""]),
        ]
        for message in payloads {
            try await shop.redis.command(
                "XADD", shop.keys.checkouts, "*", "type", message.type, "payload", message.payload)
        }
        for _ in 1...2 {
            try await shop.redis.command("DEL", shop.keys.outcomes)
            try await shop.consumeAll()
            let outcomes = try await shop.outcomes()
            #expect(outcomes.allSatisfy { $0["outcome"] == "dead_letter" })
            let ids = outcomes.map { outcome in
                ["order_id", "cancellation_id", "adjustment_id"].map { outcome[$0] ?? "missing" }
            }
            #expect(ids == payloads.map(\.ids))
            _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        }
        let shown = try await shop.succeed("dead-letters", "show", "1")
        #expect(shown.contains("cancellation") && shown.contains("c1"), "\(shown)")
    }

    @Test("A cancellation that precedes its order is processed once the order arrives, also while running")
    func early() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        try await shop.publish([
            Cancellation("c", of: "o", ("LAMP", nil, 3)).message, Cancellation("r", of: "refused").message,
        ])
        try await eventually("dead letters") { try shop.count("dead_letters") == 2 }
        try await shop.publish([
            Order("o", ("LAMP", nil, 5)).message, Order("refused", ("LAMP", nil, 50)).message,
        ])
        try await eventually("both cancellations") { try shop.count("cancellations") == 2 }
        #expect(try shop.query("SELECT DISTINCT status FROM dead_letters") == [["replayed"]])
        #expect(
            try shop.query("SELECT id, status FROM orders ORDER BY id") == [
                ["o", "accepted"], ["refused", "refused"],
            ])
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "2")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }

    @Test("A dead letter that is read again is not mistaken for the message that is to be republished")
    func earlyAndReadAgain() async throws {
        let shop = try await Shop()
        try await shop.publish([
            Cancellation("c", of: "o", ("LAMP", nil, 3)).message, Order("o", ("LAMP", nil, 5)).message,
        ])
        _ = try await shop.redis.command("ACL", "SETUSER", "default", "-xadd")
        let consumer = try await shop.startConsumer()
        try await consumer.waitForLine(containing: "dead letters could not be published again")
        _ = try await shop.redis.command("XGROUP", "SETID", shop.keys.checkouts, "stocktake", "0")
        try await eventually("both entries to be read again") {
            let unread = try await shop.redis.command("XINFO", "GROUPS", shop.keys.checkouts).array?.first?.array?.last
            let pending = try await shop.pending()
            return unread?.int == 0 && pending == 0
        }
        _ = try await shop.redis.command("ACL", "SETUSER", "default", "+xadd")
        try await eventually("the cancellation") { try shop.count("cancellations") == 1 }
        #expect(try shop.value("SELECT sold_quantity FROM products WHERE id = 'LAMP'") == "2")
        #expect(try await consumer.stop() == .exited(0))
        try await shop.expectConsistent()
    }
}

extension SequentialModel.Order {
    fileprivate static func random(_ id: String, _ generator: inout some RandomNumberGenerator) -> Self {
        var order = SequentialModel.Order(id)
        order.lines = (0..<Int.random(in: 1...3, using: &generator)).map { _ in .random(&generator) }
        return order
    }
}

extension SequentialModel.Cancellation {
    fileprivate static func random(
        _ id: String, of order: String, _ generator: inout some RandomNumberGenerator
    ) -> Self {
        var cancellation = SequentialModel.Cancellation(
            id, of: order, restock: Int.random(in: 0..<5, using: &generator) > 0)
        if Bool.random(using: &generator) {
            cancellation.lines = (0..<Int.random(in: 1...3, using: &generator)).map { _ in .random(&generator) }
        }
        return cancellation
    }
}

extension SequentialModel.Line {
    fileprivate static func random(_ generator: inout some RandomNumberGenerator) -> Self {
        let skus: [(String, String?)] = [
            ("CUBE", "BLACK"), ("CUBE", "WHITE"), ("CUBE", "RED"), ("OTHER", "GREEN"), ("LAMP", nil), ("PANEL", nil),
        ]
        let (product, variant) = skus.randomElement(using: &generator) ?? ("PANEL", nil)
        return SequentialModel.Line(
            product: product, variant: variant, units: Int.random(in: 1...3, using: &generator))
    }
}
