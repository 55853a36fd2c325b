import Foundation
import GRDB
import Inventory

/// The rows that a batch leaves.
extension BatchWriter {
    static let orderColumns = [
        "number", "id", "status", "reason", "refused_level", "refused_id", "refused_asked", "refused_left", "seq",
        "epoch",
        "units", "decided_at", "entry_id", "digest", "stripe_payment_intent_id", "completed_at", "customer_id",
        "customer_email", "customer_name", "currency", "subtotal", "tax", "shipping", "total", "shipping_name",
        "shipping_line1", "shipping_line2", "shipping_city", "shipping_state", "shipping_postal_code",
        "shipping_country",
    ]

    static let lineColumns = [
        "order_number", "line", "product_id", "variant_id", "quantity", "unit_price", "stripe_product_id",
        "product_name",
        "variant_name",
    ]

    /// The orders with their lines, numbered in their order.
    func insert(_ records: [OrderRecord]) throws {
        let numbered = zip((lastOrderNumber + 1)..., records)
        try insertOrders.run(numbered, count: records.count) { bind(&$0, $1.1, number: $1.0) }
        let lines = numbered.lazy.flatMap { number, record in
            record.order.checkout.items.enumerated().lazy.map {
                (number: number, line: $0.offset + 1, item: $0.element)
            }
        }
        try insertLines.run(lines, count: records.reduce(0) { $0 + $1.order.checkout.items.count }) { row, line in
            row.bind(line.number)
            row.bind(Int64(line.line))
            row.bind(line.item.productID)
            row.bind(line.item.variantID)
            row.bind(line.item.quantity)
            row.bind(line.item.unitPrice)
            row.bind(line.item.stripeProductID)
            row.bind(line.item.productName)
            row.bind(line.item.variantName)
        }
    }

    private func bind(_ row: inout DirectStatement, _ record: OrderRecord, number: Int64) {
        let checkout = record.order.checkout
        var (status, seq, refusal): (String, Int64?, Refusal?) = ("accepted", nil, nil)
        switch record.decision {
        case .accepted(let accepted): seq = accepted
        case .refused(let refused): (status, refusal) = ("refused", refused)
        }
        row.bind(number)
        row.bind(checkout.orderID)
        row.bind(status)
        row.bind(refusal?.reason.rawValue)
        row.bind(refusal?.counter.level.rawValue)
        row.bind(refusal?.counter.id)
        row.bind(refusal?.asked)
        row.bind(refusal?.left)
        row.bind(seq)
        row.bind(batch.epoch)
        row.bind(checkout.units)
        row.bind(record.decidedAt)
        row.bind(record.entryID)
        row.bind(blob: record.order.digest)
        row.bind(checkout.paymentIntentID)
        row.bind(checkout.completedAt)
        row.bind(checkout.customer?.id)
        row.bind(checkout.customer?.email)
        row.bind(checkout.customer?.name)
        row.bind(checkout.currency)
        row.bind(checkout.subtotal)
        row.bind(checkout.tax)
        row.bind(checkout.shipping)
        row.bind(checkout.total)
        row.bind(checkout.shippingAddress?.name)
        row.bind(checkout.shippingAddress?.line1)
        row.bind(checkout.shippingAddress?.line2)
        row.bind(checkout.shippingAddress?.city)
        row.bind(checkout.shippingAddress?.state)
        row.bind(checkout.shippingAddress?.postalCode)
        row.bind(checkout.shippingAddress?.country)
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
