import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func orderDetails(of id: Identifier) async throws -> OrderDetails {
        try await read { db in
            let cancellations = try Row.fetchAll(
                db, sql: "SELECT * FROM cancellations WHERE order_id = ? ORDER BY position", arguments: [id.text])
            let letters = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Self.deadLetterColumns)
                    FROM dead_letters WHERE order_id = ? ORDER BY id
                    """, arguments: [id.text])
            let refunds = try Row.fetchAll(
                db, sql: "SELECT * FROM order_refunds WHERE order_id = ? ORDER BY position", arguments: [id.text])
            return OrderDetails(
                order: try Self.order(id, db),
                cancellations: try cancellations.map { try Self.cancellation($0, db) },
                refunds: try refunds.map(Self.recordedRefund), refundsDue: try Self.refunds(of: id, db),
                owned: try Self.owned(by: id, db)?.filter { $0.units > 0 } ?? [],
                deadLetters: try letters.map(Self.deadLetter))
        }
    }

    private static func recordedRefund(_ row: Row) throws -> RecordedRefund {
        try RecordedRefund(
            refund: Refund(
                refundID: Identifier(row.value("id")), orderID: Identifier(row.value("order_id")),
                paymentIntentID: row.value("payment_intent_id"), amount: row.value("amount"),
                currency: row.value("currency"), refundedAt: row.value("refunded_at"), by: row.value("by")),
            decidedAt: row.value("decided_at"), entryID: row.value("entry_id"))
    }

    private static func cancellation(_ row: Row, _ db: Database) throws -> RecordedCancellation {
        let items = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM cancellation_lines WHERE position = ? ORDER BY line"),
            arguments: [try row.value("position") as Int64])
        return try RecordedCancellation(
            id: Identifier(row.value("id")), cancelledAt: row.value("cancelled_at"), restock: row.value("restock"),
            seq: row.value("seq"),
            units: row.value("units"),
            notOwned: row.value("not_owned"), decidedAt: row.value("decided_at"), entryID: row.value("entry_id"),
            items: items.map { item in
                try RecordedCancellation.Item(
                    sku: SKU(
                        Identifier(item.value("product_id")),
                        (item.value("variant_id") as String?).map { Identifier($0) }),
                    asked: item.value("asked"), released: item.value("released"), givenBack: item.value("given_back"))
            })
    }
}
