import GRDB
import Domain
import Ledger

/// Inserts the details of all commands except orders, which arrive by the thousand (`BatchWriter+rows.swift`).
extension BatchWriter {
    /// - Parameter taken: the units that a cancellation takes from its order.
    func insert(_ decided: DecidedCommand, taking taken: [CancellationEffect.Line], _ position: Int64) throws {
        switch decided.command {
        case .placeOrder: break
        case .cancel(let cancellation): try insert(cancellation, taken, decided, position)
        case .adjust(let adjustment): try insert(adjustment, position)
        case .refund(let refund): try insert(refund, position)
        }
    }

    /// - Parameter lines: the units that it takes from its order.
    private func insert(
        _ cancellation: Cancellation, _ lines: [CancellationEffect.Line], _ decided: DecidedCommand, _ position: Int64
    ) throws {
        let order = cancellation.orderID
        try db.cachedStatement(
            sql: """
                INSERT INTO cancellation_details (position, order_number, cancelled_at, restock, not_owned)
                VALUES (?, \(Schema.orderNumber(ofID: "?")), ?, ?, ?)
                """
        ).execute(arguments: [
            position, order.text, cancellation.cancelledAt, cancellation.restock,
            cancellation.notOwned(decided.planned.movements),
        ])
        let item = try db.cachedStatement(
            sql: """
                INSERT INTO cancellation_lines (position, line, product_id, variant_id, asked, released, given_back)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for (number, line) in lines.enumerated() {
            try item.execute(arguments: [
                position, number + 1, line.sku.productID.text, line.sku.variantID?.text, line.asked, line.released,
                cancellation.restock ? line.released : 0,
            ])
        }
        let owned = arbiter.owned(by: order) ?? []
        if owned.allSatisfy({ $0.units == 0 }) {
            try db.cachedStatement(
                sql: """
                    UPDATE order_details SET is_cancelled = 1
                    WHERE number = (SELECT number FROM journal WHERE key = ? AND kind = 'order' AND seq IS NOT NULL)
                    """
            ).execute(arguments: [order.text])
        }
    }

    private func insert(_ adjustment: Adjustment, _ position: Int64) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO adjustment_details (position, product_id, variant_id, reason, adjusted_at)
                VALUES (?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            position, adjustment.sku.productID.text, adjustment.sku.variantID?.text, adjustment.reason,
            adjustment.adjustedAt,
        ])
    }

    private func insert(_ refund: Refund, _ position: Int64) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO refund_details (position, order_id, payment_intent_id, amount, currency, refunded_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            position, refund.orderID.text, refund.paymentIntentID, refund.amount, refund.currency, refund.refundedAt,
        ])
        try giveBack(refund, position)
    }
}
