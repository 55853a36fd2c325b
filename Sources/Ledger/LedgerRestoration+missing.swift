import GRDB
import Inventory

/// What a ledger holds that a backup of it does not.
package struct MissingRows: Sendable, Equatable {
    package var orders = 0
    package var cancellations = 0
    package var adjustments = 0
    package var deadLetters = 0
    /// Where the messages of all these stood in the stream, in the order of the tables.
    package var entries: [EntryPosition] = []
    /// Orders whose customer's data was removed, and will be there again.
    package var erased: [String] = []
    /// Dead letters whose content was removed, and is there again.
    package var discarded = 0
    /// What could not be read, for people: then all else is what there is at least.
    package var unread: [String] = []

    package var rows: Int { orders + cancellations + adjustments + deadLetters }
    /// All that the ledger has recorded was compared.
    package var isWhole: Bool { unread.isEmpty }
}

extension LedgerRestoration {
    /// What the replaced ledger holds and the backup does not; nil if it cannot be opened. A page of it that is damaged
    /// ends the reading of one table, and is said.
    package func missing() async throws -> MissingRows? {
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
            throw LedgerError.wrapping(error, path: path, action: "comparing")
        }
    }
}

/// Compares table by table. The backup was checked, so what is damaged is the ledger that is replaced.
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
        // A page that was lost without being malformed: nothing leads to its rows any more.
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
        // A page may be whole and in another's place: its rows are there twice, and the other's are missing.
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
            // Of the table itself: an index would say how many there should be.
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
            guard LedgerError.damage(error) != nil || (error as? DatabaseError)?.resultCode == .SQLITE_ERROR
            else { throw error }
            if missing.unread.last != name { missing.unread.append(name) }
        }
    }
}
