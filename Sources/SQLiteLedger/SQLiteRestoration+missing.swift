import GRDB
import Inventory
import Ledger
import Paths

extension SQLiteRestoration {
    /// What the replaced ledger holds and the backup does not; nil if it cannot be opened. A damaged page ends the
    /// reading of one table, and is reported (`unread`).
    func missing() async throws -> MissingRows? {
        guard case .readable(_, let head) = replaced, let held else { return nil }
        let (path, backup, damagedMarks) = (path, partialPath, damagedMarks)
        do {
            return try await offCooperativeThreads {
                try held.inDatabase { db in
                    try db.execute(sql: "ATTACH DATABASE ? AS backup", arguments: [backup])
                    defer { try? db.execute(sql: "DETACH DATABASE backup") }
                    let comparison = Comparison(db: db)
                    try comparison.run(records: head.records)
                    var missing = comparison.missing
                    missing.unread = damagedMarks + missing.unread
                    return missing
                }
            }
        } catch {
            throw SQLiteLedgerError.wrapping(error, path: path, action: "comparing")
        }
    }
}

/// Compares table by table. The backup was checked, so any damage is in the replaced ledger.
private final class Comparison {
    private let db: Database
    private(set) var missing = MissingRows()
    /// Rows that were found in the ledger.
    private var found: Int64 = 0

    init(db: Database) { self.db = db }

    func run(records: Int64) throws {
        missing.orders = try compare("orders", "orders")
        missing.cancellations = try compare("cancellations", "cancellations")
        missing.adjustments = try compare("adjustments", "adjustments")
        missing.deadLetters = try compare("dead_letters", "dead letters", same: Self.sameLetter)
        // A page was lost without being malformed: nothing refers to its rows any more.
        if missing.isWhole, found != records {
            missing.unread.append("\(records &- found) of \(records) rows")
        }
        try unlessDamaged("erased orders") {
            missing.erased = try Optional<String>.fetchAll(
                db,
                sql: """
                    SELECT id FROM main.orders AS other NOT INDEXED WHERE erased_at IS NOT NULL AND NOT EXISTS
                        (SELECT 1 FROM backup.orders AS own WHERE own.id = other.id AND own.erased_at IS NOT NULL)
                    ORDER BY rowid
                    """
            ).compactMap { $0 }
        }
        try unlessDamaged("discarded dead letters") {
            missing.discarded =
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) FROM main.dead_letters AS other NOT INDEXED
                        CROSS JOIN backup.dead_letters AS own ON \(Self.sameLetter)
                        WHERE other.status = 'discarded' AND own.status != 'discarded'
                        """) ?? 0
        }
        // A page may be well-formed but in the place of another: its rows are there twice, and the other page's are
        // missing.
        if missing.isWhole, try !LedgerDatabase.findings(db, "PRAGMA main.quick_check(1)").isEmpty {
            missing.unread.append("rows on damaged pages")
        }
    }

    private static let sameLetter = "own.entry_id = other.entry_id AND own.fingerprint = other.fingerprint"

    /// - Returns: how many rows of the table the backup lacks.
    private func compare(_ table: String, _ name: String, same: String = "own.id = other.id") throws -> Int {
        var count = 0
        var all: Int64 = 0
        try unlessDamaged(name) {
            // Counted in the table itself: an index would give the number that there should be.
            all = try Int64.fetchOne(db, sql: "SELECT count(*) FROM main.\(table) NOT INDEXED") ?? 0
        }
        found += all
        try unlessDamaged(name) {
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT entry_id FROM main.\(table) AS other NOT INDEXED
                    WHERE NOT EXISTS (SELECT 1 FROM backup.\(table) AS own WHERE \(same)) ORDER BY rowid
                    """)
            while let row = try rows.next() {
                count += 1
                if let entry = String.fromDatabaseValue(row[0]).flatMap({ EntryPosition($0) }) {
                    missing.entries.append(entry)
                }
            }
        }
        return count
    }

    /// Notes that something could not be read instead of throwing.
    private func unlessDamaged(_ name: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            guard SQLiteLedgerError.damage(error) != nil || (error as? DatabaseError)?.resultCode == .SQLITE_ERROR
            else { throw error }
            if missing.unread.last != name { missing.unread.append(name) }
        }
    }
}
