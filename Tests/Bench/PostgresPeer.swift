import Foundation
import Glibc
import TestSupport

/// The usual design of shops: one transaction per order, in a private PostgreSQL cluster with default settings, and
/// therefore default durability. Driven over a unix socket by pgbench with prepared statements, for its best
/// performance.
struct PostgresPeer {
    private let workshop: Workshop
    private let programs: String
    private let server: ChildProcess
    private let folder: String
    private let script: String

    /// How long the server may take to reply, and to end.
    private static let limit = Duration.seconds(30)

    static func start(in workshop: Workshop, products: Int) async throws -> PostgresPeer {
        guard let programs = ForeignProgram.newestPostgresFolder else {
            throw MissingInput(description: "PostgreSQL is not installed; scripts/setup --bench installs it")
        }
        let folder = workshop.folder.path(of: "postgres-\(products)")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        var asOwner: [String] = []
        if getuid() == 0 {
            // It refuses to run as root. Its user must be able to pass through the run's folder without seeing its
            // contents.
            asOwner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            try await workshop.output("chown", ["postgres:postgres", folder])
            guard chmod(workshop.folder.path, 0o711) == 0 else {
                throw BenchError("opening a folder to PostgreSQL failed: on \(workshop.folder.path): errno \(errno).")
            }
        }
        let initialise =
            asOwner + [
                programs + "/initdb", "-D", folder + "/data", "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                "--locale=C",
            ]
        try await workshop.output(initialise[0], Array(initialise.dropFirst()))
        let serve =
            asOwner + [programs + "/postgres", "-D", folder + "/data", "-k", folder, "-c", "listen_addresses="]
        let server = try ChildProcess(serve[0], Array(serve.dropFirst()))
        try await eventually(within: limit, "PostgreSQL to answer") {
            if let ending = server.ending {
                throw BenchError(
                    "starting PostgreSQL failed: on \(folder): it ended (\(ending)): \(server.standardError)")
            }
            let asked = try ChildProcess(programs + "/pg_isready", ["-h", folder, "-U", "postgres"])
            return try await asked.waitForEnding() == .exited(0)
        }
        let peer = PostgresPeer(
            workshop: workshop, programs: programs, server: server, folder: folder,
            script: try workshop.folder.write(transaction(products: products), to: "order-\(products).sql"))
        try await peer.psql(schema(products: products))
        return peer
    }

    /// SIGINT: it ends its sessions and saves.
    func stop() async {
        server.signal(SIGINT)
        _ = try? await server.waitForEnding(within: Self.limit)
        try? FileManager.default.removeItem(atPath: folder)
    }

    func ordersPerSecond(clients: Int, seconds: Int) async throws -> Double {
        let said = try await workshop.output(
            programs + "/pgbench",
            [
                "-h", folder, "-U", "postgres", "-n", "-M", "prepared", "-c", "\(clients)", "-j", "\(min(clients, 2))",
                "-T", "\(seconds)", "-f", script, "postgres",
            ], within: .seconds(seconds + 60))
        let line = said.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        guard let tps = line.flatMap({ Double($0.dropFirst(6).prefix { $0.isNumber || $0 == "." }) }), tps > 0 else {
            throw BenchError("measuring PostgreSQL failed: on pgbench: it says no tps:\n\(said)")
        }
        return tps
    }

    /// Each accepted order has its line, and is counted once.
    func checkAllRecorded() async throws {
        let said = try await psql(
            """
            SELECT (SELECT count(*) FROM orders) = (SELECT count(*) FROM order_items)
               AND (SELECT count(*) FROM orders) = (SELECT sum(sold_quantity) FROM products)
            """)
        guard said.trimmingCharacters(in: .whitespacesAndNewlines) == "t" else {
            throw BenchError("measuring PostgreSQL failed: on \(folder): its counts do not agree (\(said)).")
        }
    }

    @discardableResult
    private func psql(_ sql: String) async throws -> String {
        try await workshop.output(
            programs + "/psql",
            ["-h", folder, "-U", "postgres", "-d", "postgres", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"],
            input: sql)
    }

    // MARK: - The shop's schema and transaction

    /// The columns of our ledger that hold an order; the keys that such a schema has.
    private static func schema(products: Int) -> String {
        """
        CREATE TABLE products (
            id text PRIMARY KEY, name text NOT NULL, max_quantity integer,
            sold_quantity integer NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE orders (
            id text PRIMARY KEY, status text NOT NULL, stripe_payment_intent_id text, completed_at timestamptz,
            customer_id text, customer_email text, customer_name text, currency text, subtotal bigint, tax bigint,
            shipping bigint, total bigint, shipping_name text, shipping_line1 text, shipping_line2 text,
            shipping_city text, shipping_state text, shipping_postal_code text, shipping_country text,
            created_at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE order_items (
            id bigserial PRIMARY KEY, order_id text NOT NULL REFERENCES orders (id),
            product_id text NOT NULL REFERENCES products (id), variant_id text, quantity integer NOT NULL,
            unit_price bigint NOT NULL, total_price bigint NOT NULL, stripe_product_id text, product_name text,
            variant_name text);
        INSERT INTO products (id, name, max_quantity)
            SELECT 'PRODUCT-' || number, 'Limited Edition ' || number, 1000000000
            FROM generate_series(0, \(products - 1)) AS number;
        VACUUM ANALYZE products;
        """
    }

    /// A shop's order service: the order, its line, the product's count, under its cap. A product without variants has
    /// no second row to count in; ours has none here either.
    private static func transaction(products: Int) -> String {
        """
        \\set random random(1, 9000000000000000000)
        \\set customer random(1, 1000000)
        \\set product random(0, \(products - 1))
        BEGIN;
        INSERT INTO orders (id, status, stripe_payment_intent_id, completed_at, customer_id, customer_email, customer_name,
            currency, subtotal, tax, shipping, total, shipping_name, shipping_line1, shipping_line2, shipping_city,
            shipping_state, shipping_postal_code, shipping_country)
        VALUES ('cs_live_a1' || :random, 'paid', 'pi_3' || :random || 'Kq2eZvKY', '20261122T100000Z',
            'cus_' || :random, 'maria.muster.' || :customer || '@example.com', 'Maria Muster-' || :customer,
            'usd', 99500, 0, 1500, 101000, 'Maria Muster-' || :customer, :customer % 400 || ' Example Street',
            'Apartment ' || :customer % 30, 'Springfield', 'IL', 60000 + :customer % 9999, 'US')
        RETURNING id;
        INSERT INTO order_items (order_id, product_id, variant_id, quantity, unit_price, total_price, stripe_product_id,
            product_name, variant_name)
        VALUES ('cs_live_a1' || :random, 'PRODUCT-' || :product, NULL, 1, 99500, 99500,
            'prod_Q' || :product, 'Limited Edition ' || :product, NULL);
        UPDATE products SET sold_quantity = sold_quantity + 1
        WHERE id = 'PRODUCT-' || :product AND (max_quantity IS NULL OR sold_quantity + 1 <= max_quantity);
        COMMIT;
        """
    }
}
