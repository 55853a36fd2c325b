import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func orders(status: OrderStatus?, limit: Int, after: String?) async throws -> Page<RecordedOrder> {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let rows = try Row.fetchAll(
                db, sql: Self.listing(status: status, isContinued: request.cursor != nil),
                arguments: ["after": request.cursor, "limit": request.rows])
            return try request.page(rows, by: "number") { try Self.order($0, items: []) }
        }
    }

    static func listing(status: OrderStatus?, isContinued: Bool) -> String {
        var conditions: [String] = []
        switch status {
        case .accepted: conditions += ["is_cancelled = 0", "refused_level IS NULL"]
        case .cancelled: conditions.append("is_cancelled = 1")
        case .refused: conditions.append(Schema.isRefused)
        case nil: break
        }
        if isContinued { conditions.append("order_details.number < :after") }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return "\(Schema.orders) \(filter) ORDER BY order_details.number DESC LIMIT :limit"
    }

    package func orderCount() async throws -> Int {
        try await read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM order_details") ?? 0 }
    }

    /// Returns one order with its items, or `nil` if there is none.
    static func order(_ id: Identifier, _ db: Database) throws -> RecordedOrder? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM orders WHERE id = ?", arguments: [id.text])
        else { return nil }
        let items = try Row.fetchAll(
            db, sql: "SELECT * FROM order_lines WHERE order_number = ? ORDER BY line",
            arguments: [try row.value("number") as Int64])
        return try order(row, items: items)
    }

    private static func order(_ row: Row, items: [Row]) throws -> RecordedOrder {
        var checkout = try Checkout(
            orderID: Identifier(row.value("id")), paymentIntentID: row.value("stripe_payment_intent_id"),
            completedAt: row.value("completed_at"),
            customer: Checkout.Customer(
                id: row.value("customer_id"), email: row.value("customer_email"), name: row.value("customer_name")),
            currency: row.value("currency"), subtotal: row.value("subtotal"), tax: row.value("tax"),
            shipping: row.value("shipping"),
            total: row.value("total"), items: items.map(item),
            shippingAddress: Checkout.Address(
                name: row.value("shipping_name"), line1: row.value("shipping_line1"),
                line2: row.value("shipping_line2"),
                city: row.value("shipping_city"), state: row.value("shipping_state"),
                postalCode: row.value("shipping_postal_code"),
                country: row.value("shipping_country")))
        checkout.by = try row.value("by")
        var shortage: Shortage?
        if let level = try (row.value("refused_level") as String?).flatMap(CapLevel.init(rawValue:)) {
            shortage = try Shortage(
                counter: CounterName(level, Identifier(row.value("refused_id"))), asked: row.value("refused_asked"),
                left: row.value("refused_left"))
        }
        guard let status = OrderStatus(rawValue: try row.value("status")) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an order with an unknown status")
        }
        return try RecordedOrder(
            checkout: checkout, status: status, shortage: shortage, seq: row.value("seq"),
            epoch: row.value("epoch"),
            units: row.value("units"), decidedAt: row.value("decided_at"), entryID: row.value("entry_id"),
            erasedAt: row.value("erased_at"))
    }

    private static func item(_ row: Row) throws -> Checkout.Item {
        try Checkout.Item(
            productID: Identifier(row.value("product_id")),
            variantID: (row.value("variant_id") as String?).map { Identifier($0) },
            units: row.value("quantity"), unitPrice: row.value("unit_price"),
            stripeProductID: row.value("stripe_product_id"),
            productName: row.value("product_name"), variantName: row.value("variant_name"))
    }
}
