import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func check() async throws -> LedgerCheck {
        try await readAround(Self.sound)
    }

    /// Returns the problems that one of SQLite's own checks reports; empty if there are none. At a malformed page,
    /// SQLite reports the page and then fails.
    static func findings(_ db: Database, _ pragma: String) throws -> [String] {
        var lines: [String] = []
        do {
            let rows = try String.fetchCursor(db, sql: pragma)
            while let row = try rows.next() {
                lines += row.split(separator: "\n").filter { $0 != "ok" && !$0.hasPrefix("***") }.map(String.init)
            }
        } catch {
            guard let damage = SQLiteLedgerError.damage(error) else { throw error }
            if lines.isEmpty { lines = [damage] }
        }
        return lines
    }

    /// Checks the whole ledger. A malformed page, or a value of a type other than its column's, is a finding, not an
    /// error.
    static func sound(_ db: Database) throws -> LedgerCheck {
        var check = LedgerCheck()
        do {
            try read(db, into: &check)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            // The statements are valid, so a stored number is so wrong that a sum overflows.
            check.integrity.append(error.message ?? "\(error.resultCode)")
        } catch {
            guard let damage = SQLiteLedgerError.damage(error) else { throw error }
            check.integrity.append(damage)
        }
        return check
    }

    private static func read(_ db: Database, into check: inout LedgerCheck) throws {
        check.integrity = try findings(db, "PRAGMA integrity_check(20)")
        check.danglingReferences = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
        check.miscounts = try Self.miscounts(db)
        func count(_ rows: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM \(rows)") ?? 0 }
        for kind in Command.Kind.allCases { check.commands[kind] = try count(Schema.details(of: kind)) }
        check.deadLetters = try count("dead_letters")
        check.catalogueChanges = try count("journal WHERE kind = 'catalogue'")
        check.head = try LedgerHead.read(db)
        // Positions are unique and above 0, so none is missing if there are as many rows as the highest position.
        let (rows, highest) = try (
            Int64(count("journal")), Int64.fetchOne(db, sql: "SELECT max(position) FROM journal") ?? 0
        )
        var details = 0
        for (table, condition) in Self.details {
            details += try count("\(table) AS details JOIN journal ON \(condition)")
        }
        // Not 0 if any of these numbers differ, whatever a damaged head or position contains.
        check.missingRecords =
            [
                check.head.position &- rows, highest &- rows, rows - Int64(details + check.catalogueChanges),
                Int64(check.commands.values.reduce(check.deadLetters, +) - details),
            ].first { $0 != 0 } ?? 0
        check.missingRefusals =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT refused - (
                        SELECT count(*) FROM order_details JOIN journal USING (position)
                        WHERE \(Schema.isRefused) AND outcome = 'refused'
                    ) FROM ledger
                    """) ?? 0
        check.missingChanges =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT ledger.seq - (
                        SELECT count(*) FROM (
                            SELECT seq, row_number() OVER (ORDER BY position) AS place FROM journal
                            WHERE seq IS NOT NULL
                        ) WHERE seq = place
                    ) FROM ledger
                    """) ?? 0
        check.missingDeadLetterBytes =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT dead_letter_bytes - (
                        SELECT coalesce(sum(\(Schema.deadLetterBytes("dead_letters"))), 0) FROM dead_letters
                    ) FROM ledger
                    """) ?? 0
        check.refundFaults = try refundFaults(db)
    }

    /// The tables of details, and how their rows refer to the journal.
    private static let details: [(table: String, condition: String)] =
        Command.Kind.allCases.map { kind in
            let numbers = kind == .placeOrder ? " AND journal.number = details.number" : ""
            let condition = "journal.position = details.position AND kind = '\(kind.noun)'\(numbers)"
            return (Schema.details(of: kind), condition)
        } + [
            (
                "dead_letters",
                "journal.position = details.position AND kind = 'dead_letter' AND journal.number = details.id"
            )
        ]

    /// Returns the sold and adjusted quantities that differ from the sums of the recorded changes.
    static func miscounts(_ db: Database) throws -> [Miscount] {
        try CapLevel.allCases.flatMap { level in
            let column = level == .product ? "product_id" : "variant_id"
            let rows = try Row.fetchAll(
                db,
                sql: """
                    WITH sold AS (SELECT \(column) AS id, sum(units) AS units FROM (\(changes)) GROUP BY 1),
                    adjusted AS (
                        SELECT \(column) AS id, sum(units) AS units FROM (
                            SELECT product_id, variant_id, units FROM adjustment_details JOIN journal USING (position)
                            UNION ALL
                            SELECT product_id, variant_id, released - given_back FROM cancellation_lines
                        ) GROUP BY 1
                    )
                    SELECT counted.id, sold_quantity, coalesce(sold.units, 0), adjusted_quantity,
                        coalesce(adjusted.units, 0)
                    FROM \(level.counterTable) AS counted
                    LEFT JOIN sold ON sold.id = counted.id LEFT JOIN adjusted ON adjusted.id = counted.id
                    WHERE sold_quantity != coalesce(sold.units, 0) OR adjusted_quantity != coalesce(adjusted.units, 0)
                    """)
            return try rows.flatMap { row -> [Miscount] in
                let counter = CounterName(level, Identifier(try row.value(0)))
                let sold = try Miscount(counter: counter, column: .sold, recorded: row.value(1), counted: row.value(2))
                let adjusted = try Miscount(
                    counter: counter, column: .adjusted, recorded: row.value(3), counted: row.value(4))
                return [sold, adjusted].filter { $0.recorded != $0.counted }
            }
        }
    }
}
