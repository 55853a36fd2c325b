import Foundation
import GRDB
import Inventory

/// The rows that a batch leaves.
extension BatchWriter {
    static let insertOrderSQL = """
        INSERT INTO orders (number, id, status, reason, refused_level, refused_id, refused_asked, refused_left, seq, epoch, units,
            decided_at, entry_id, digest, stripe_payment_intent_id, completed_at, customer_id, customer_email,
            customer_name, currency, subtotal, tax, shipping, total, shipping_name, shipping_line1, shipping_line2,
            shipping_city, shipping_state, shipping_postal_code, shipping_country)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static let insertLineSQL = """
        INSERT INTO order_lines (order_number, line, product_id, variant_id, quantity, unit_price, stripe_product_id,
            product_name, variant_name)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    mutating func insert(_ record: OrderRecord) throws {
        let checkout = record.order.checkout
        var (status, seq, refusal): (String, Int64?, Refusal?) = ("accepted", nil, nil)
        switch record.decision {
        case .accepted(let accepted): seq = accepted
        case .refused(let refused): (status, refusal) = ("refused", refused)
        }
        orderNumber += 1
        insertOrder.bind(orderNumber)
        insertOrder.bind(checkout.orderID)
        insertOrder.bind(status)
        insertOrder.bind(refusal?.reason.rawValue)
        insertOrder.bind(refusal?.counter.level.rawValue)
        insertOrder.bind(refusal?.counter.id)
        insertOrder.bind(refusal?.asked)
        insertOrder.bind(refusal?.left)
        insertOrder.bind(seq)
        insertOrder.bind(batch.epoch)
        insertOrder.bind(checkout.units)
        insertOrder.bind(record.decidedAt)
        insertOrder.bind(record.entryID)
        insertOrder.bind(blob: record.order.digest)
        insertOrder.bind(checkout.paymentIntentID)
        insertOrder.bind(checkout.completedAt)
        insertOrder.bind(checkout.customer?.id)
        insertOrder.bind(checkout.customer?.email)
        insertOrder.bind(checkout.customer?.name)
        insertOrder.bind(checkout.currency)
        insertOrder.bind(checkout.subtotal)
        insertOrder.bind(checkout.tax)
        insertOrder.bind(checkout.shipping)
        insertOrder.bind(checkout.total)
        insertOrder.bind(checkout.shippingAddress?.name)
        insertOrder.bind(checkout.shippingAddress?.line1)
        insertOrder.bind(checkout.shippingAddress?.line2)
        insertOrder.bind(checkout.shippingAddress?.city)
        insertOrder.bind(checkout.shippingAddress?.state)
        insertOrder.bind(checkout.shippingAddress?.postalCode)
        insertOrder.bind(checkout.shippingAddress?.country)
        try insertOrder.run()
        for (line, item) in checkout.items.enumerated() {
            insertLine.bind(orderNumber)
            insertLine.bind(Int64(line + 1))
            insertLine.bind(item.productID)
            insertLine.bind(item.variantID)
            insertLine.bind(item.quantity)
            insertLine.bind(item.unitPrice)
            insertLine.bind(item.stripeProductID)
            insertLine.bind(item.productName)
            insertLine.bind(item.variantName)
            try insertLine.run()
        }
    }

    func insert(_ deadLetter: DeadLetterRecord) throws {
        // The conflict is named: any other one is an error.
        try db.cachedStatement(
            sql: """
                INSERT INTO dead_letters (entry_id, reason, detail, type, payload, fields, order_id, fingerprint, received_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entry_id, fingerprint) DO NOTHING
                """
        ).execute(arguments: [
            deadLetter.key.entryID, deadLetter.rejection.reason.rawValue, deadLetter.rejection.detail,
            deadLetter.type.map { Data($0) }, deadLetter.payload.map { Data($0) }, deadLetter.fields.map { Data($0) },
            deadLetter.orderID?.text, Data(deadLetter.key.fingerprint), deadLetter.receivedAt,
        ])
    }

    func insert(_ record: CancellationRecord) throws {
        let cancellation = record.cancellation
        let id = cancellation.cancellationID.text
        let units = record.givenBack.reduce(0) { $0 + $1.units }
        try db.cachedStatement(
            sql: """
                INSERT INTO cancellations (id, order_id, cancelled_at, restock, seq, epoch, units, decided_at, entry_id, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id, cancellation.orderID.text, cancellation.cancelledAt, cancellation.restock, record.seq, batch.epoch,
            units, record.decidedAt, record.entryID, Data(record.digest),
        ])
        let item = try db.cachedStatement(
            sql: """
                INSERT INTO cancellation_items (cancellation_id, line, product_id, variant_id, asked, released, given_back)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for (line, release) in record.releases.enumerated() {
            try item.execute(arguments: [
                id, line + 1, release.article.productID.text, release.article.variantID?.text, release.asked,
                release.released, cancellation.restock ? release.released : 0,
            ])
        }
        let owned = try LedgerDatabase.owned(by: cancellation.orderID, db) ?? []
        if owned.allSatisfy({ $0.units == 0 }) {
            try db.cachedStatement(sql: "UPDATE orders SET status = 'cancelled' WHERE id = ? AND status = 'accepted'")
                .execute(arguments: [cancellation.orderID.text])
        }
    }

    func insert(_ record: AdjustmentRecord) throws {
        let adjustment = record.adjustment
        try db.cachedStatement(
            sql: """
                INSERT INTO adjustments (id, product_id, variant_id, quantity, reason, adjusted_at, seq, epoch, decided_at,
                    entry_id, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            adjustment.adjustmentID.text, adjustment.article.productID.text, adjustment.article.variantID?.text,
            adjustment.units, adjustment.reason, adjustment.adjustedAt, record.seq, batch.epoch, record.decidedAt,
            record.entryID, Data(record.digest),
        ])
    }

    // MARK: - Dead letters that are published again

    static func someWait(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql:
                    "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE reason = 'unknown_order' AND status = 'open')"
            )) ?? false
    }

    /// Cancellations that came before their order can be processed now.
    func wake(lettersFor order: Identifier) throws {
        try db.cachedStatement(
            sql: """
                UPDATE dead_letters SET status = 'replay'
                WHERE order_id = ? AND reason = 'unknown_order' AND status = 'open'
                """
        ).execute(arguments: [order.text])
    }

    func endReplays() throws {
        for number in batch.replayed {
            try db.cachedStatement(
                sql: "UPDATE dead_letters SET status = 'replayed', resolved_at = ? WHERE id = ? AND status = 'replay'"
            ).execute(arguments: [Timestamp.now(), number])
        }
    }
}
