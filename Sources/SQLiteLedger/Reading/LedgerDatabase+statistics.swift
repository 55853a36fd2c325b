import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func statistics() async throws -> LedgerStatistics {
        try await read { db in
            func number(_ sql: String) throws -> Int64 {
                try Int64.fetchOne(db.cachedStatement(sql: "SELECT " + sql)) ?? 0
            }
            return LedgerStatistics(
                head: try LedgerHead.read(db),
                // Orders are never deleted, so their rows are numbered 1, 2, 3 …; counting would read all of them.
                orders: try number("coalesce(max(number), 0) FROM order_details"),
                refunds: try RefundsDue.read(db),
                openDeadLetters: try number("count(*) FROM dead_letters WHERE status = 'open'"),
                deadLetterBytes: try number("dead_letter_bytes FROM ledger"),
                requestedReplays: try number("count(*) FROM dead_letters WHERE status = 'replay'"))
        }
    }

    /// Returns the version of the loaded SQLite library.
    package static func sqliteVersion() throws -> String {
        let queue = try DatabaseQueue()
        return try queue.read { db in try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "" }
    }
}
