import Concurrency
import GRDB
import Domain
import Ledger
import Files

extension SQLiteRestoration {
    /// Returns the rows that the replaced ledger has but the backup lacks, or `nil` if it cannot be opened. A damaged
    /// page ends the reading of one table, and is reported (`unread`).
    func missing() async throws -> MissingRows? {
        guard case .readable(_, let head) = replaced, let held else { return nil }
        let (path, backup, damagedMarks) = (path, partialPath, damagedMarks)
        do {
            return try await offCooperativeThreads {
                try held.inDatabase { db in
                    try db.execute(sql: "ATTACH DATABASE ? AS backup", arguments: [backup])
                    defer { try? db.execute(sql: "DETACH DATABASE backup") }
                    let comparison = Comparison(db: db)
                    try comparison.run(position: head.position)
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

/// Compares the journals. The backup was checked, so any damage is in the replaced ledger.
private final class Comparison {
    private let db: Database
    private(set) var missing = MissingRows()
    /// The number of rows found in the journal.
    private var found: Int64 = 0

    init(db: Database) { self.db = db }

    func run(position: Int64) throws {
        try compare()
        // A page was lost without being malformed: nothing refers to its rows any more.
        if missing.isWhole, found != position {
            missing.unread.append("\(position &- found) of \(position) rows")
        }
        try unlessDamaged("erased orders") {
            missing.erased = try Optional<String>.fetchAll(
                db,
                sql: """
                    SELECT other.key FROM main.order_details AS details NOT INDEXED
                    JOIN main.journal AS other ON other.position = details.position
                    WHERE details.erased_at IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM backup.journal AS own
                        JOIN backup.order_details AS known ON known.number = own.number
                        WHERE own.key = other.key AND own.kind = 'order' AND known.erased_at IS NOT NULL
                    )
                    ORDER BY details.number
                    """
            ).compactMap { $0 }
        }
        try unlessDamaged("discarded dead letters") {
            missing.discarded =
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) FROM main.dead_letters AS other NOT INDEXED
                        CROSS JOIN backup.dead_letters AS own
                        ON own.entry_id = other.entry_id AND own.fingerprint = other.fingerprint
                        WHERE other.status = 'discarded' AND own.status != 'discarded'
                        """) ?? 0
        }
        // A page may be well-formed but in the place of another page: its rows exist twice, and the other page's rows
        // are missing.
        if missing.isWhole, try !LedgerDatabase.findings(db, "PRAGMA main.quick_check(1)").isEmpty {
            missing.unread.append("rows on damaged pages")
        }
    }

    /// Finds the rows of the journal that the backup lacks.
    private func compare() throws {
        try unlessDamaged("journal") {
            // Counted in the table itself: an index would yield the expected number.
            found = try Int64.fetchOne(db, sql: "SELECT count(*) FROM main.journal NOT INDEXED") ?? 0
        }
        try unlessDamaged("journal") {
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT kind, entry_id FROM main.journal AS other NOT INDEXED
                    WHERE NOT EXISTS (
                        SELECT 1 FROM backup.journal AS own WHERE own.key = other.key AND own.kind = other.kind
                    ) ORDER BY position
                    """)
            while let row = try rows.next() {
                switch String.fromDatabaseValue(row[0]).flatMap({ JournalKind(rawValue: $0) }) {
                case .command(let kind): missing.commands[kind, default: 0] += 1
                case .deadLetter: missing.deadLetters += 1
                case .catalogue: missing.catalogueChanges += 1
                case nil: break
                }
                if let entry = String.fromDatabaseValue(row[1]).flatMap({ StreamID($0) }) {
                    missing.entries.append(entry)
                }
            }
        }
    }

    /// Runs `body`, and records damage as unread instead of throwing it.
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
