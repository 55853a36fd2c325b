import Foundation
import GRDB
import TestSupport

/// A ledger as years of sales leave it, made by SQLite alone in less than a minute. Its orders have every column that
/// recorded ones have, ids spread evenly over all that random ones can be, and sums that agree: `ledger check`
/// finds it sound.
struct OldLedger {
    let path: String
    /// A multiple of the products.
    let orders: Int
    let products: Int

    func make(from template: LedgerTemplate, in workshop: Workshop) async throws {
        try FileManager.default.copyItem(atPath: template.path, toPath: path)
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.journalMode = .default
        let (orders, products) = (orders, products)
        let step = OrderMaker.risingFrom / UInt64(orders)
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try await database.writeWithoutTransaction { db in
            // Nothing is to survive a crash here; the whole is brought to the disk below.
            try db.execute(
                sql: """
                    PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -500000;
                    """)
            try db.inTransaction {
                let position = try Int.fetchOne(db, sql: "SELECT position FROM ledger") ?? 0
                try db.execute(sql: Self.fill(orders: orders, products: products, step: step, after: position))
                return .commit
            }
            try db.execute(sql: "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL; SELECT count(*) FROM ledger")
        }
        try database.close()
        // Of the full size that takes half a minute, which a run does not have; the statements are the same.
        if workshop.scale.isQuick { try await workshop.run(["ledger", "check"], ledger: path) }
        try await workshop.calmDisk()
    }

    private static func fill(orders: Int, products: Int, step: UInt64, after position: Int) -> String {
        """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(orders))
        INSERT INTO journal (position, kind, key, digest, outcome, seq, epoch, units, decided_at, entry_id, number)
        SELECT \(position) + n, 'order', printf('cs_live_a1%016x%08d', n * \(step), n), randomblob(32), 'accepted', n, 0, 1,
            '2026-11-22T10:00:00.000Z', (1700000000000 + n) || '-0', n
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(orders))
        INSERT INTO order_details (number, position, status, stripe_payment_intent_id, completed_at, currency, subtotal,
            tax, shipping, total)
        SELECT n, \(position) + n, 'accepted', printf('pi_3%016xKq2eZvKY', n * \(step)), '2026-11-22T10:00:00Z', 'usd',
            99500, 0, 1500, 101000
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(orders))
        INSERT INTO order_customers (order_number, customer_id, customer_email, customer_name, shipping_name,
            shipping_line1, shipping_line2, shipping_city, shipping_state, shipping_postal_code, shipping_country)
        SELECT n, printf('cus_%016x', n * \(step)), 'maria.muster.' || n || '@example.com', 'Maria Muster-' || n,
            'Maria Muster-' || n, (n % 400) || ' Example Street', 'Apartment ' || (n % 30), 'Springfield', 'IL',
            60000 + n % 9999, 'US'
        FROM numbers;

        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(orders))
        INSERT INTO order_lines (order_number, line, product_id, quantity, unit_price, stripe_product_id, product_name)
        SELECT n, 1, 'PRODUCT-' || (n % \(products)), 1, 99500,
            printf('prod_Q%016x', n % \(products)), 'Limited Edition ' || (n % \(products))
        FROM numbers;

        -- Each of them has as many.
        UPDATE product_counters SET sold_quantity = \(orders / products);
        UPDATE ledger SET seq = \(orders), position = \(position + orders);
        """
    }
}
