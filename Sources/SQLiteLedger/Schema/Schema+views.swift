import Domain

/// The journal with its details, by kind, as people and programs query it. Names and columns are public.
///
/// Columns that are not selected are not read: when rows are listed, SQLite omits an outer-joined table if none of its
/// columns is used. Each join names both the position and the number, so that SQLite can perform it from either side.
extension Schema {
    static let views = """
        CREATE VIEW orders AS
            \(orders);

        -- The lines with the ids of their orders.
        CREATE VIEW order_items AS
            SELECT journal.key AS order_id, line, product_id, variant_id, quantity, unit_price,
                order_lines.stripe_product_id, product_name, variant_name
            FROM order_lines
            LEFT JOIN order_details ON order_details.number = order_number
            LEFT JOIN journal ON \(isOrder("journal", numbered: "order_lines.order_number"));

        \(commandViews)
        """

    /// A query for the orders with all their columns.
    static let orders = """
        SELECT order_details.number, journal.key AS id,
            CASE WHEN is_cancelled THEN 'cancelled' ELSE journal.outcome END AS status, journal.reason, refused_level,
            refused_id, refused_asked, refused_left, journal.seq, journal.epoch, journal.units, journal.decided_at,
            journal.entry_id, journal.digest, stripe_payment_intent_id, completed_at, customer_id, customer_email,
            customer_name, currency, subtotal, tax, shipping, total, shipping_name, shipping_line1, shipping_line2,
            shipping_city, shipping_state, shipping_postal_code, shipping_country, erased_at, payment_digest,
            journal.position, journal."by"
        FROM order_details
        LEFT JOIN journal ON \(isOrder("journal"))
        LEFT JOIN order_customers ON order_customers.order_number = order_details.number
        """

    /// Returns the condition for the journal's row of an order.
    /// - Parameters:
    ///   - journal: the name of the journal in the query.
    ///   - number: the order's number in the table that the query reads first, so that SQLite can also go from the
    ///     journal's row to that table.
    static func isOrder(_ journal: String, numbered number: String = "order_details.number") -> String {
        "\(journal).position = order_details.position AND \(journal).number = \(number) AND \(journal).kind = 'order'"
    }

    /// Returns the table that contains the details of one kind of rows.
    static func details(of kind: Command.Kind) -> String { "\(kind.noun)_details" }

    /// The condition for refused orders, as in their index.
    static let isRefused = "refused_level IS NOT NULL"

    /// Returns an SQL expression for the number of the order with this id.
    static func orderNumber(ofID id: String) -> String {
        "(SELECT number FROM journal WHERE key = \(id) AND kind = 'order')"
    }
}
