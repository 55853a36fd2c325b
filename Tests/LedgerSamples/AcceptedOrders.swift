/// Accepted orders of one unit each, inserted by SQL statements for SQLite: recording that many would take too long.
/// They have every column that recorded orders have, and consistent sums.
package struct AcceptedOrders {
    /// The number of orders, a multiple of `products`.
    let count: Int
    /// The number of products PRODUCT-0, PRODUCT-1 …, which the catalogue must already contain.
    let products: Int
    /// The difference between the numbers in the ids of two consecutive orders.
    let idStep: UInt64
    /// The position of the journal's last row; there must be no order and no adjustment among the rows.
    let position: Int

    package init(count: Int, products: Int, idStep: UInt64, after position: Int) {
        (self.count, self.products, self.idStep, self.position) = (count, products, idStep, position)
    }

    package var sql: String {
        """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
        INSERT INTO journal (position, kind, key, digest, outcome, seq, epoch, units, decided_at, entry_id, number)
        SELECT \(position) + n, 'order', printf('cs_live_a1%016x%08d', n * \(idStep), n), randomblob(32), 'accepted', n, 0, 1,
            '2026-11-22T10:00:00.000Z', (1700000000000 + n) || '-0', n
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
        INSERT INTO order_details (number, position, stripe_payment_intent_id, completed_at, currency, subtotal,
            tax, shipping, total)
        SELECT n, \(position) + n, printf('pi_3%016xKq2eZvKY', n * \(idStep)), '2026-11-22T10:00:00Z', 'usd',
            99500, 0, 1500, 101000
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
        INSERT INTO order_customers (order_number, customer_id, customer_email, customer_name, shipping_name,
            shipping_line1, shipping_line2, shipping_city, shipping_state, shipping_postal_code, shipping_country)
        SELECT n, printf('cus_%016x', n * \(idStep)), 'maria.muster.' || n || '@example.com', 'Maria Muster-' || n,
            'Maria Muster-' || n, (n % 400) || ' Example Street', 'Apartment ' || (n % 30), 'Springfield', 'IL',
            60000 + n % 9999, 'US'
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
        INSERT INTO order_lines (order_number, line, product_id, quantity, unit_price, stripe_product_id, product_name)
        SELECT n, 1, 'PRODUCT-' || (n % \(products)), 1, 99500,
            printf('prod_Q%016x', n % \(products)), 'Limited Edition ' || (n % \(products))
        FROM numbers;

        -- Every product has the same number of orders.
        UPDATE product_counters SET sold_quantity = \(count / products);
        UPDATE ledger SET seq = \(count), position = \(position + count);
        """
    }
}
