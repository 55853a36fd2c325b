import GRDB

/// Cancellations, adjustments and refunds.
extension LedgerRows {
    struct Cancellation: Sendable {
        var position: Int64
        var id: String
        var orderID: String
        var restock: Bool
        var seq: Int64?
        var epoch: Int64
        var units: Int
        var decidedAt: String
        var entryID: String
        var items: [Item]

        struct Item: Sendable, Equatable {
            var product: String
            var variant: String?
            /// `nil` for all.
            var asked: Int?
            var released: Int
            var givenBack: Int
        }

        /// More than its order owned.
        var asksForMore: Bool { items.contains { $0.asked ?? 0 > $0.released } }

        var content: Message.CancellationContent {
            // Requested by lines, or everything, in which case no line has a quantity.
            let lines = items.compactMap { item in
                item.asked.map { Message.Line(product: item.product, variant: item.variant, units: $0, price: 0) }
            }
            return Message.CancellationContent(
                order: orderID, restock: restock, asked: lines.isEmpty ? nil : Message.sums(lines))
        }
    }

    struct Adjustment: Sendable {
        var position: Int64
        var id: String
        var product: String
        var variant: String?
        var units: Int
        var seq: Int64?
        var epoch: Int64
        var decidedAt: String
        var entryID: String

        var content: Message.Adjustment {
            Message.Adjustment(id: id, product: product, variant: variant, units: units)
        }
    }

    struct Refund: Sendable {
        var position: Int64
        var id: String
        var orderID: String
        var amount: Int?
        var epoch: Int64
        var decidedAt: String
        var entryID: String

        var content: Message.Refund { Message.Refund(id: id, order: orderID, amount: amount) }
    }

    static func cancellations(after position: Int64 = 0, _ db: Database) throws -> [Cancellation] {
        var items: [String: [Cancellation.Item]] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT i.cancellation_id, i.product_id, i.variant_id, i.asked, i.released, i.given_back
                FROM cancellations AS c JOIN cancellation_items AS i ON i.cancellation_id = c.id
                WHERE c.position > ? ORDER BY c.position, i.line
                """,
            arguments: [position])
        while let row = try rows.next() {
            items[row[0], default: []].append(
                Cancellation.Item(product: row[1], variant: row[2], asked: row[3], released: row[4], givenBack: row[5]))
        }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT position, id, order_id, restock, seq, epoch, units, decided_at, entry_id FROM cancellations
                WHERE position > ? ORDER BY position
                """,
            arguments: [position]
        ).map { row in
            Cancellation(
                position: row[0], id: row[1], orderID: row[2], restock: row[3], seq: row[4], epoch: row[5],
                units: row[6], decidedAt: row[7], entryID: row[8], items: items[row[1]] ?? [])
        }
    }

    static func adjustments(after position: Int64 = 0, _ db: Database) throws -> [Adjustment] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT position, id, product_id, variant_id, quantity, seq, epoch, decided_at, entry_id FROM adjustments
                WHERE position > ? ORDER BY position
                """,
            arguments: [position]
        ).map { row in
            Adjustment(
                position: row[0], id: row[1], product: row[2], variant: row[3], units: row[4], seq: row[5],
                epoch: row[6], decidedAt: row[7], entryID: row[8])
        }
    }

    static func refunds(after position: Int64 = 0, _ db: Database) throws -> [Refund] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT position, id, order_id, amount, epoch, decided_at, entry_id FROM order_refunds
                WHERE position > ? ORDER BY position
                """,
            arguments: [position]
        ).map { row in
            Refund(
                position: row[0], id: row[1], orderID: row[2], amount: row[3], epoch: row[4], decidedAt: row[5],
                entryID: row[6])
        }
    }
}
