import GRDB

/// What is to be looked after: counts that a doctor or an operator asks for, at one moment.
package struct LedgerStatistics: Sendable, Equatable {
    package var head: LedgerHead
    package var orders: Int64
    package var refunds: RefundsDue
    /// Open dead letters, and those that are to be published again.
    package var openDeadLetters: Int64
    /// What the content of all dead letters takes.
    package var deadLetterBytes: Int64
    package var wantedReplays: Int64
}

extension LedgerDatabase {
    /// Cheap enough for once a second, however many orders there are: it takes time only for dead letters that are
    /// open.
    package func statistics() async throws -> LedgerStatistics {
        try await read { db in
            func number(_ sql: String) throws -> Int64 {
                try Int64.fetchOne(db.cachedStatement(sql: "SELECT " + sql)) ?? 0
            }
            return LedgerStatistics(
                head: try LedgerHead.read(db),
                // Orders are never removed, so their rows are numbered 1, 2, 3 …; counting would read them all.
                orders: try number("coalesce(max(number), 0) FROM orders"),
                refunds: try RefundsDue.read(db),
                openDeadLetters: try number("count(*) FROM dead_letters WHERE status = 'open'"),
                deadLetterBytes: try number("dead_letter_bytes FROM ledger"),
                wantedReplays: try number("count(*) FROM dead_letters WHERE status = 'replay'"))
        }
    }

    /// The version of the SQLite library that is loaded.
    package static func sqliteVersion() throws -> String {
        let queue = try DatabaseQueue()
        return try queue.read { db in try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "" }
    }
}
