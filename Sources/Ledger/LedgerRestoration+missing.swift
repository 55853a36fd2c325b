import GRDB
import Inventory

/// What a ledger holds that a backup of it does not.
package struct MissingRows: Sendable, Equatable {
    package var orders = 0
    package var cancellations = 0
    package var adjustments = 0
    package var deadLetters = 0
    /// Of all these, those whose messages are not in the stream any more; and from when to when they were recorded.
    package var gone = 0
    package var goneFrom: String?
    package var goneUntil: String?
    /// Orders whose customer's data was removed, and will be there again.
    package var erased: [String] = []
    /// Dead letters whose content was removed, and is there again.
    package var discarded = 0

    package var rows: Int { orders + cancellations + adjustments + deadLetters }
}

extension LedgerRestoration {
    /// What the replaced ledger holds and the backup does not; nil if it cannot be read.
    /// - Parameter firstEntry: of the stream; nil: it holds nothing.
    package func missing(firstEntry: EntryPosition?) async throws -> MissingRows? {
        guard case .readable = replaced else { return nil }
        let (path, backup) = (path, partialPath)
        do {
            return try await offCooperativeThreads {
                let queue = try DatabaseQueue(path: backup, configuration: LedgerDatabase.readerConfiguration)
                let missing = try queue.inDatabase { db in
                    try db.execute(sql: "ATTACH DATABASE ? AS replaced", arguments: [path])
                    return try Self.compare(db, firstEntry: firstEntry)
                }
                try queue.close()
                return missing
            }
        } catch {
            throw LedgerError.wrapping(error, path: path, action: "comparing")
        }
    }

    private static func compare(_ db: Database, firstEntry: EntryPosition?) throws -> MissingRows {
        var missing = MissingRows()
        func count(_ table: String, time: String, same: String) throws -> Int {
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT entry_id, \(time) FROM replaced.\(table) AS other
                    WHERE NOT EXISTS (SELECT 1 FROM main.\(table) AS own WHERE \(same)) ORDER BY rowid
                    """)
            var count = 0
            while let row = try rows.next() {
                count += 1
                let isKept =
                    firstEntry.flatMap { first in EntryPosition(row[0] as String).map { $0 >= first } } ?? false
                if isKept { continue }
                let time: String = row[1]
                missing.gone += 1
                missing.goneFrom = min(missing.goneFrom ?? time, time)
                missing.goneUntil = max(missing.goneUntil ?? time, time)
            }
            return count
        }
        missing.orders = try count("orders", time: "decided_at", same: "own.id = other.id")
        missing.cancellations = try count("cancellations", time: "decided_at", same: "own.id = other.id")
        missing.adjustments = try count("adjustments", time: "decided_at", same: "own.id = other.id")
        let sameLetter = "own.entry_id = other.entry_id AND own.fingerprint = other.fingerprint"
        missing.deadLetters = try count("dead_letters", time: "received_at", same: sameLetter)
        missing.erased = try String.fetchAll(
            db,
            sql: """
                SELECT id FROM replaced.orders AS other WHERE erased_at IS NOT NULL AND NOT EXISTS
                    (SELECT 1 FROM main.orders AS own WHERE own.id = other.id AND own.erased_at IS NOT NULL)
                ORDER BY rowid
                """)
        missing.discarded =
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM replaced.dead_letters AS other JOIN main.dead_letters AS own ON \(sameLetter)
                    WHERE other.status = 'discarded' AND own.status != 'discarded'
                    """) ?? 0
        return missing
    }
}
