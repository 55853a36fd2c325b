import GRDB
import Domain
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

@Suite("The ledger's tables")
struct LedgerSchemaTests {
    private static let tables: [(String, [String])] = [
        (
            "products",
            [
                "id", "position", "name", "description", "long_description", "category", "dev_status", "base_price",
                "stripe_product_id", "has_variants", "requires_assembly", "images", "specs", "metadata", "is_active",
                "max_quantity", "sold_quantity", "available_quantity", "is_available", "created_at", "updated_at",
            ]
        ),
        (
            "variants",
            [
                "id", "product_id", "position", "name", "description", "stripe_product_id", "images", "specs",
                "metadata", "is_active", "max_quantity", "sold_quantity", "available_quantity", "is_available",
                "created_at", "updated_at",
            ]
        ),
        (
            "orders",
            [
                "id", "status", "reason", "seq", "units", "decided_at", "stripe_payment_intent_id", "completed_at",
                "customer_id", "customer_email", "customer_name", "currency", "subtotal", "tax", "shipping", "total",
                "shipping_name", "shipping_line1", "shipping_line2", "shipping_city", "shipping_state",
                "shipping_postal_code", "shipping_country",
            ]
        ),
        (
            "order_items",
            [
                "order_id", "line", "product_id", "variant_id", "quantity", "unit_price", "stripe_product_id",
                "product_name", "variant_name",
            ]
        ),
        ("dead_letters", ["id", "entry_id", "reason", "detail", "type", "payload", "received_at"]),
    ]

    @Test("have the columns that people query", arguments: tables)
    func columns(_ table: String, _ columns: [String]) async throws {
        try await withLedger(nil) { fixture async throws in
            let found = try await fixture.texts("SELECT name FROM pragma_table_xinfo('\(table)')")
            #expect(Set(columns).subtracting(found.compactMap(\.self)).isEmpty)
        }
    }

    @Test("are strict about types")
    func strict() async throws {
        try await withLedger(nil) { fixture async throws in
            let loose = try await fixture.texts(
                """
                SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict
                AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'
                """)
            #expect(loose.isEmpty)
        }
    }

    /// SQLite's query plan, one step per line.
    private func plan(_ query: String, _ fixture: LedgerFixture) async throws -> [String] {
        try await fixture.ledger.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(query)").map { $0["detail"] as String }
        }
    }

    @Test("find one product or variant without a full scan", arguments: ["products", "variants"])
    func searched(_ view: String) async throws {
        try await withLedger(nil) { fixture async throws in
            let plan = try await plan("SELECT * FROM \(view) WHERE id = 'a'", fixture)
            #expect(plan.count == 2 && plan.allSatisfy { $0.hasPrefix("SEARCH") }, "\(plan)")
        }
    }

    @Test(
        "find sold-out products by an index, even before anything is written to it",
        arguments: ["products", "variants"])
    func soldOut(_ view: String) async throws {
        try await withLedger(nil) { fixture async throws in
            let plan = try await plan("SELECT id FROM \(view) WHERE is_available = 0", fixture)
            #expect(plan.contains { $0.contains("counters_is_available") }, "\(plan)")
        }
    }

    @Test(
        "find refused and cancelled orders by separate indexes, latest first without sorting",
        arguments: [
            (OrderStatus.cancelled, "order_details_cancelled"), (OrderStatus.refused, "order_details_refused"),
        ],
        [false, true])
    func listed(_ listing: (status: OrderStatus, index: String), _ isContinued: Bool) async throws {
        try await withLedger(nil) { fixture async throws in
            let query = LedgerDatabase.listing(status: listing.status, isContinued: isContinued)
            let steps = try await plan(query.replacing(":limit", with: "3").replacing(":after", with: "7"), fixture)
            #expect(steps[0].contains("INDEX \(listing.index)"), "\(steps)")
            #expect(steps.dropFirst().allSatisfy { $0.hasPrefix("SEARCH") }, "\(steps)")
        }
    }

    @Test(
        "find refunds that an accepted order ends by the smaller of the two tables", arguments: [true, false])
    func endedRefunds(_ fewRefunds: Bool) async throws {
        try await withLedger(nil) { fixture async throws in
            let query = BatchWriter.refundsEnded(fewRefunds: fewRefunds).replacing(":before", with: "7")
            let steps = try await plan(query, fixture)
            let ways = ["refunds_awaiting_order", "sqlite_autoindex_journal_1", "INTEGER PRIMARY KEY"]
            #expect(steps.count == 3 && steps.dropFirst().allSatisfy { $0.hasPrefix("SEARCH") }, "\(steps)")
            let expected = fewRefunds ? ways : ["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY", ways[0]]
            for (step, way) in zip(steps, expected) { #expect(step.contains(way), "\(steps)") }
        }
    }

    @Test(
        "find rows recorded after a seq, and those of an order, without a full scan",
        arguments: [
            LedgerDatabase.changesAfter, LedgerDatabase.changesOf(.product), LedgerDatabase.changesOf(.variant),
            "SELECT * FROM orders WHERE id = 'o'", "SELECT * FROM order_items WHERE order_id = 'o'",
            "SELECT * FROM cancellations WHERE id = 'c'", "SELECT * FROM cancellations WHERE order_id = 'o'",
            "SELECT * FROM cancellation_items WHERE cancellation_id = 'c'", "SELECT * FROM adjustments WHERE id = 'a'",
            "SELECT * FROM orders JOIN order_items ON order_id = orders.id WHERE orders.number > 10",
        ])
    func searchedParts(_ query: String) async throws {
        try await withLedger(nil) { fixture async throws in
            let steps = try await plan(query.replacing(/\?[1-5]/, with: "5"), fixture)
            let scans = steps.filter { $0.contains("SCAN") && !$0.contains("CONSTANT ROW") || $0.contains("AUTOMATIC") }
            // The rows of the query itself, which are few.
            #expect(scans.allSatisfy { $0.hasSuffix("(subquery)") || $0.contains("SCAN (") }, "\(steps)")
        }
    }

    @Test(
        "find a seq by a preceding mark",
        arguments: [Schema.position(before: "3000"), Schema.position(reaching: "3000")])
    func marks(_ expression: String) async throws {
        try await withLedger(nil) { fixture async throws in
            let steps = try await plan("SELECT \(expression)", fixture)
            #expect(steps.contains { $0.contains("INDEX journal_marks (seq") }, "\(steps)")
            #expect(!steps.contains { $0.contains("SCAN journal") }, "\(steps)")
        }
    }

    @Test("reject an accepted order without a seq, and a refused one with a seq")
    func seqs() async throws {
        try await withLedger(nil) { fixture async throws in
            func insert(_ id: String, _ outcome: String, _ reason: String, _ seq: String) throws {
                try fixture.tamper(
                    """
                    INSERT INTO journal (kind, key, outcome, reason, seq, epoch, units, decided_at, entry_id, digest)
                    VALUES ('order', '\(id)', '\(outcome)', \(reason), \(seq), 1, 1, '', '', x'')
                    """)
            }
            try insert("a", "accepted", "NULL", "1")
            try insert("b", "refused", "'sold_out'", "NULL")
            try insert("c", "refused", "'sold_out'", "NULL")
            #expect(throws: (any Error).self) { try insert("d", "accepted", "NULL", "NULL") }
            #expect(throws: (any Error).self) { try insert("e", "refused", "'sold_out'", "2") }
        }
    }

    @Test("reveal a product without its counter, and a counter without its product")
    func halves() async throws {
        for half in [
            "DELETE FROM product_counters WHERE id = 'kit'", "DELETE FROM catalogue_products WHERE id = 'kit'",
        ] {
            try await withLedger { fixture async throws in
                #expect(try await fixture.ledger.check().isSound)
                try fixture.tamper(half)
                #expect(try await fixture.ledger.check().danglingReferences == 1)
            }
        }
    }

    /// Cap and sold units, the available units, and whether it is available.
    private static let figures: [(cap: Int64?, sold: Int64, available: Int64?, isAvailable: Bool)] = [
        (5, 0, 5, true), (5, 4, 1, true), (5, 5, 0, false), (5, 7, 0, false), (nil, 0, nil, true), (nil, 9, nil, true),
        (Limit.exactInteger, 1, Limit.exactInteger - 1, true),
    ]

    @Test("compute availability themselves", arguments: figures.indices, CapLevel.allCases)
    func generated(_ index: Int, _ level: CapLevel) async throws {
        let (cap, sold, available, isAvailable) = Self.figures[index]
        try await withLedger { fixture async throws in
            let cap = cap.map(String.init) ?? "NULL"
            try fixture.tamper("UPDATE \(level.counterTable) SET max_quantity = \(cap), sold_quantity = \(sold)")
            let found = try await fixture.texts(
                "SELECT available_quantity || ' ' || is_available FROM \(level.view) LIMIT 1")
            #expect(found == [available.map { "\($0) \(isAvailable ? 1 : 0)" }])
            let isAvailableAlone = try await fixture.texts("SELECT is_available FROM \(level.view) LIMIT 1")
            #expect(isAvailableAlone == [isAvailable ? "1" : "0"])
        }
    }

    @Test(
        "reject impossible values",
        arguments: [
            "UPDATE product_counters SET sold_quantity = -1", "UPDATE variant_counters SET sold_quantity = -1",
            "UPDATE product_counters SET max_quantity = 0", "UPDATE catalogue_products SET base_price = 0",
            "UPDATE catalogue_products SET dev_status = 6", "UPDATE product_counters SET sold_quantity = 'many'",
            "UPDATE catalogue_products SET is_active = 2", "UPDATE ledger SET seq = -1", "UPDATE ledger SET id = 2",
            "UPDATE order_details SET is_cancelled = 2", "UPDATE journal SET reason = 'sold_out' WHERE seq = 1",
            "UPDATE order_lines SET quantity = 0", "UPDATE journal SET position = 2",
            "UPDATE product_counters SET available_quantity = 1", "UPDATE variant_counters SET is_available = 1",
        ])
    func constraints(_ sql: String) async throws {
        try await withLedger { fixture async throws in
            let lines: [Line] = [("kit", nil, 1)]
            try await fixture.record(order("o1", lines, .accepted(seq: 1)), order("o2", lines, .accepted(seq: 2)))
            let before = try await fixture.rows()
            #expect(throws: DatabaseError.self) { try fixture.tamper(sql) }
            #expect(try await fixture.rows() == before)
        }
    }
}
