import Foundation
import GRDB
import Inventory
import Ledger

/// The rows that a batch inserts.
extension BatchWriter {
    static let orderColumns =
        [
            "number", "id", "status", "reason", "refused_level", "refused_id", "refused_asked", "refused_left", "seq",
            "epoch", "units", "decided_at", "entry_id", "digest", "subtotal", "tax", "shipping", "total",
        ] + Checkout.Text.allCases.map(column(of:))

    private static func column(of text: Checkout.Text) -> String {
        switch text {
        case .paymentIntentID: "stripe_payment_intent_id"
        case .completedAt: "completed_at"
        case .currency: "currency"
        case .customerID: "customer_id"
        case .customerEmail: "customer_email"
        case .customerName: "customer_name"
        case .shippingName: "shipping_name"
        case .shippingLine1: "shipping_line1"
        case .shippingLine2: "shipping_line2"
        case .shippingCity: "shipping_city"
        case .shippingState: "shipping_state"
        case .shippingPostalCode: "shipping_postal_code"
        case .shippingCountry: "shipping_country"
        }
    }

    static let lineColumns =
        ["order_number", "line", "product_id", "variant_id", "quantity", "unit_price"]
        + Checkout.LineText.allCases.map(column(of:))

    private static func column(of text: Checkout.LineText) -> String {
        switch text {
        case .stripeProductID: "stripe_product_id"
        case .productName: "product_name"
        case .variantName: "variant_name"
        }
    }

    /// The orders with their lines, numbered in their order.
    func insert(_ orders: [PlacedOrder]) throws {
        try insertOrders.run(orders.indices) { bind(&$0, orders[$1], number: number(ofOrder: $1)) }
        let lines = orders.enumerated().flatMap { index, placed in
            placed.order.checkout.lines.indices.map { (order: index, line: $0) }
        }
        try insertLines.run(lines) { row, place in
            let order = orders[place.order].order
            let line = order.checkout.lines[place.line]
            row.bind(number(ofOrder: place.order))
            row.bind(Int64(place.line + 1))
            row.bind(line.productID)
            row.bind(line.variantID)
            row.bind(line.units)
            row.bind(line.unitPrice)
            for text in Checkout.LineText.allCases { row.bind(order.checkout.texts, text.number(in: place.line)) }
        }
    }

    /// - Parameter index: among the batch's orders.
    func number(ofOrder index: Int) -> Int64 { lastOrderNumber + 1 + Int64(index) }

    private func bind(_ row: inout DirectStatement, _ placed: PlacedOrder, number: Int64) {
        let checkout = placed.order.checkout
        let decided = placed.decided
        assert(decided.decision != .unchanged, "an order of no units")
        let shortage = decided.decision.shortage
        row.bind(number)
        row.bind(checkout.orderID)
        row.bind(shortage == nil ? "accepted" : "refused")
        row.bind(shortage?.reason.rawValue)
        row.bind(shortage?.counter.level.rawValue)
        row.bind(shortage?.counter.id)
        row.bind(shortage?.asked)
        row.bind(shortage?.left)
        row.bind(decided.decision.seq)
        row.bind(batch.epoch)
        row.bind(checkout.units)
        row.bind(decided.decidedAt)
        row.bind(decided.entryID)
        row.bind(blob: placed.order.digest)
        row.bind(checkout.subtotal)
        row.bind(checkout.tax)
        row.bind(checkout.shipping)
        row.bind(checkout.total)
        for text in Checkout.Text.allCases { row.bind(checkout.texts, text.rawValue) }
    }

    func insert(_ deadLetter: DeadLetterRecord) throws {
        // The conflict target is named: any other conflict is an error.
        try db.cachedStatement(
            sql: """
                INSERT INTO dead_letters (
                    entry_id, reason, detail, type, payload, fields, bytes, is_whole, payload_digest, order_id,
                    cancellation_id, adjustment_id, fingerprint, received_at
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entry_id, fingerprint) DO NOTHING
                """
        ).execute(arguments: [
            deadLetter.key.entryID, deadLetter.cause.reason.rawValue, deadLetter.cause.detail,
            deadLetter.type.map { Data($0) }, deadLetter.payload.map { Data($0) }, deadLetter.fields.map { Data($0) },
            deadLetter.bytes, deadLetter.isWhole, deadLetter.payloadDigest.map { Data($0) },
            deadLetter.ids.order?.text, deadLetter.ids.cancellation?.text, deadLetter.ids.adjustment?.text,
            Data(deadLetter.key.fingerprint), deadLetter.receivedAt,
        ])
    }

    /// - Parameter lines: what it takes from its order.
    func insert(_ cancellation: Cancellation, _ lines: [Takeback.Line], _ decided: DecidedCommand) throws {
        let id = cancellation.cancellationID.text
        try db.cachedStatement(
            sql: """
                INSERT INTO cancellations (id, order_id, cancelled_at, restock, seq, epoch, units, not_owned, decided_at,
                    entry_id, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id, cancellation.orderID.text, cancellation.cancelledAt, cancellation.restock, decided.decision.seq,
            batch.epoch, cancellation.restocked(decided.planned.movements),
            cancellation.notOwned(decided.planned.movements),
            decided.decidedAt, decided.entryID, Data(cancellation.digest),
        ])
        let item = try db.cachedStatement(
            sql: """
                INSERT INTO cancellation_items (cancellation_id, line, product_id, variant_id, asked, released, given_back)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for (number, line) in lines.enumerated() {
            try item.execute(arguments: [
                id, number + 1, line.sku.productID.text, line.sku.variantID?.text, line.asked, line.released,
                cancellation.restock ? line.released : 0,
            ])
        }
        let owned = arbiter.owned(by: cancellation.orderID) ?? []
        if owned.allSatisfy({ $0.units == 0 }) {
            try db.cachedStatement(sql: "UPDATE orders SET status = 'cancelled' WHERE id = ? AND status = 'accepted'")
                .execute(arguments: [cancellation.orderID.text])
        }
    }

    func insert(_ adjustment: Adjustment, _ decided: DecidedCommand) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO adjustments (id, product_id, variant_id, quantity, reason, adjusted_at, seq, epoch, decided_at,
                    entry_id, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            adjustment.adjustmentID.text, adjustment.sku.productID.text, adjustment.sku.variantID?.text,
            adjustment.units, adjustment.reason, adjustment.adjustedAt, decided.decision.seq, batch.epoch,
            decided.decidedAt, decided.entryID, Data(adjustment.digest),
        ])
    }

    // MARK: - Dead letters that are published again

    /// What an order of this batch may end: whether any dead letter waits for its order, and how many refunds do.
    static func waiting(_ db: Database) throws -> (someLetters: Bool, refunds: Int) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM dead_letters WHERE reason = 'unknown_order' AND status = 'open'),
                        refunds_awaiting_order FROM ledger
                    """))
        return try row.map { (try $0.value(0), try $0.value(1)) } ?? (false, 0)
    }

    /// Requests a replay of the cancellations that came before their order: they can be processed now.
    func wake(lettersFor order: Identifier) throws {
        try db.cachedStatement(
            sql: """
                UPDATE dead_letters SET status = 'replay'
                WHERE order_id = ? AND reason = 'unknown_order' AND status = 'open' AND is_whole
                """
        ).execute(arguments: [order.text])
    }

    func endReplays() throws {
        for number in batch.replayed {
            try db.cachedStatement(
                sql: "UPDATE dead_letters SET status = 'replayed', resolved_at = ? WHERE id = ? AND status = 'replay'"
            ).execute(arguments: [Timestamp.now(), number])
            if db.changesCount > 0 { try endRefund(ofReplayed: number) }
        }
    }
}
