import GRDB
import Inventory

/// A sold quantity that is not what the orders add up to.
package struct Miscount: Sendable, Equatable {
    package var counter: CounterName
    /// What the product's or variant's row says.
    package var recorded: Int64
    /// What its accepted orders add up to.
    package var counted: Int64
}

/// What a check of the whole ledger found.
package struct LedgerCheck: Sendable, Equatable {
    /// What SQLite itself finds wrong with the file, first lines; empty when sound.
    package var integrity: [String] = []
    /// Rows that refer to rows which are not there.
    package var danglingReferences = 0
    package var miscounts: [Miscount] = []
    package var orders = 0
    package var deadLetters = 0
    package var head = LedgerHead(epoch: 0, seq: 0, records: 0, catalogueVersion: 0)

    /// Orders and dead letters that were recorded and are not there.
    package var missingRecords: Int64 = 0

    package var isSound: Bool {
        integrity.isEmpty && danglingReferences == 0 && miscounts.isEmpty && missingRecords == 0
    }
}

extension LedgerDatabase {
    /// Reads the whole ledger: SQLite's integrity check, references, and the sold quantities counted anew.
    package func check() async throws -> LedgerCheck {
        try await read(Self.sound)
    }

    static func sound(_ db: Database) throws -> LedgerCheck {
        var check = LedgerCheck()
        check.integrity = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
        check.danglingReferences = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
        check.miscounts = try Self.miscounts(db)
        check.orders = try Int.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        check.deadLetters = try Int.fetchOne(db, sql: "SELECT count(*) FROM dead_letters") ?? 0
        check.head = try LedgerHead.read(db)
        check.missingRecords = check.head.records - Int64(check.orders + check.deadLetters)
        return check
    }

    private static func miscounts(_ db: Database) throws -> [Miscount] {
        try Level.allCases.flatMap { level in
            let column = level == .product ? "product_id" : "variant_id"
            let rows = try Row.fetchAll(
                db,
                sql: """
                    WITH counted AS (
                        SELECT order_items.\(column) AS id, sum(quantity) AS units FROM order_items
                        JOIN orders ON orders.id = order_items.order_id WHERE orders.status = 'accepted' GROUP BY 1
                    )
                    SELECT \(level.table).id, sold_quantity, coalesce(units, 0) FROM \(level.table)
                    LEFT JOIN counted ON counted.id = \(level.table).id
                    WHERE sold_quantity != coalesce(units, 0)
                    """)
            return rows.map { row in
                Miscount(counter: CounterName(level, Identifier(row[0])), recorded: row[1], counted: row[2])
            }
        }
    }
}
