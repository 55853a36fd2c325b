import Foundation
import GRDB
import Domain
import Ledger

extension Checkout.Text {
    /// The texts that `orders erase` removes completely.
    fileprivate static let ofCustomer = allCases.filter { $0.rawValue >= customerID.rawValue }
    fileprivate static let ofPayment = allCases.filter { $0.rawValue < customerID.rawValue }
}

extension Checkout {
    /// Whether any data about the customer is known.
    fileprivate var hasCustomer: Bool {
        Text.ofCustomer.contains { texts.withBytes($0.rawValue) { $0 != nil } }
    }
}

/// Inserts the details of a batch.
extension BatchWriter {
    private static let insertOrders = MultiRowStatement(
        inserting: [
            "number", "position", "refused_level", "refused_id", "refused_asked", "refused_left",
            "subtotal", "tax", "shipping", "total",
        ] + Checkout.Text.ofPayment.map(column(of:)), into: "order_details")

    private static let insertCustomers = MultiRowStatement(
        inserting: ["order_number"] + Checkout.Text.ofCustomer.map(column(of:)), into: "order_customers")

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

    private static let insertLines = MultiRowStatement(
        inserting: ["order_number", "line", "product_id", "variant_id", "quantity", "unit_price"]
            + Checkout.LineText.allCases.map(column(of:)), into: "order_lines")

    private static func column(of text: Checkout.LineText) -> String {
        switch text {
        case .stripeProductID: "stripe_product_id"
        case .productName: "product_name"
        case .variantName: "variant_name"
        }
    }

    /// Inserts the orders with their lines, and numbers them in their order.
    func insert(_ orders: [PlacedOrder]) throws {
        try Self.insertOrders.run(orders.indices, in: db, texts) { bind(&$0, orders[$1], number: number(ofOrder: $1)) }
        let customers = orders.indices.filter { orders[$0].order.checkout.hasCustomer }
        try Self.insertCustomers.run(customers, in: db, texts) { row, index in
            row.bind(number(ofOrder: index))
            let texts = orders[index].order.checkout.texts
            for text in Checkout.Text.ofCustomer { row.bind(texts, text.rawValue) }
        }
        let lines = orders.enumerated().flatMap { index, placed in
            placed.order.checkout.lines.indices.map { (order: index, line: $0) }
        }
        try Self.insertLines.run(lines, in: db, texts) { row, place in
            let order = orders[place.order].order
            let line = order.checkout.lines[place.line]
            row.bind(number(ofOrder: place.order))
            row.bind(Int64(place.line + 1))
            row.bind(line.productID)
            row.bind(line.variantID)
            row.bind(line.units)
            row.bind(line.unitPrice)
            let texts = order.checkout.texts
            for text in Checkout.LineText.allCases { row.bind(texts, text.number(in: place.line)) }
        }
    }

    /// - Parameter index: the order's index among the batch's orders.
    func number(ofOrder index: Int) -> Int64 { lastOrderNumber + 1 + Int64(index) }

    private func bind(_ row: inout RawStatement, _ placed: PlacedOrder, number: Int64) {
        let order = placed.order
        row.bind(number)
        row.bind(position(ofRecord: placed.place))
        row.bind(placed.shortage?.counter.level.rawValue)
        row.bind(placed.shortage?.counter.id)
        row.bind(placed.shortage?.asked)
        row.bind(placed.shortage?.left)
        row.bind(order.checkout.subtotal)
        row.bind(order.checkout.tax)
        row.bind(order.checkout.shipping)
        row.bind(order.checkout.total)
        let texts = order.checkout.texts
        for text in Checkout.Text.ofPayment { row.bind(texts, text.rawValue) }
    }

    func insert(_ deadLetter: NewDeadLetter, number: Int64, _ position: Int64) throws {
        let values: [(any DatabaseValueConvertible)?] = [
            number, position, deadLetter.payment != nil, deadLetter.key.entryID, deadLetter.cause.reason.rawValue,
            deadLetter.cause.detail,
            deadLetter.type.map { Data($0) }, deadLetter.payload.map { Data($0) }, deadLetter.fields.map { Data($0) },
            deadLetter.bytes, deadLetter.isWhole, deadLetter.payloadDigest.map { Data($0) },
            Data(deadLetter.key.fingerprint), deadLetter.receivedAt,
        ]
        try db.cachedStatement(sql: Self.insertDeadLetter)
            .execute(arguments: StatementArguments(values + Command.Kind.allCases.map { deadLetter.ids[$0]?.text }))
    }

    private static let insertDeadLetter = """
        INSERT INTO dead_letters (
            id, position, is_checkout, entry_id, reason, detail, type, payload, fields, bytes, is_whole, payload_digest,
            fingerprint, received_at, \(Schema.idColumns)
        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?\(String(repeating: ", ?", count: Command.Kind.allCases.count)))
        """

    // MARK: - Replays

    /// Requests a replay of the dead letters that arrived before their order, because they can be processed now.
    /// - Parameter isDead: whether the order is a dead letter; only refunds can refer to it.
    func wake(lettersFor order: Identifier, isDead: Bool = false) throws {
        try db.cachedStatement(
            sql: """
                UPDATE dead_letters SET status = 'replay'
                WHERE order_id = ? AND reason = 'unknown_order' AND status = 'open' AND is_whole
                \(isDead ? "AND refund_id IS NOT NULL" : "")
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
