import GRDB

/// What is to be looked after: counts that a doctor or an operator asks for.
package struct LedgerFigures: Sendable, Equatable {
    /// Open dead letters, and those that are to be published again.
    package var openDeadLetters: Int
    package var wantedReplays: Int
    /// Orders that were paid and refused.
    package var refusedOrders: Int
}

extension LedgerDatabase {
    package func figures() async throws -> LedgerFigures {
        try await read { db in
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM \(sql)") ?? 0 }
            return LedgerFigures(
                openDeadLetters: try count("dead_letters WHERE status = 'open'"),
                wantedReplays: try count("dead_letters WHERE status = 'replay'"),
                refusedOrders: try count("orders WHERE status = 'refused'"))
        }
    }

    /// The version of the SQLite library that is loaded.
    package static func sqliteVersion() throws -> String {
        let queue = try DatabaseQueue()
        return try queue.read { db in try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "" }
    }
}
