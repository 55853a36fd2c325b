import GRDB

// Bringing the log into the file, where removed data is to be gone from both.
extension LedgerDatabase {
    /// Asks for a checkpoint, in the transaction that has removed something.
    static func wantCheckpoint(_ db: Database) throws {
        try db.execute(sql: "UPDATE ledger SET checkpoint_wanted = 1")
    }

    package func isCheckpointWanted() async throws -> Bool {
        try await read { db in try Bool.fetchOne(db, sql: "SELECT checkpoint_wanted FROM ledger") ?? false }
    }

    /// Makes the checkpoint that is wanted, if one is: what was removed is then overwritten in the file, and the log is
    /// empty. For the process that holds the ledger's lock.
    /// - Returns: whether none is wanted any more; false while somebody reads an earlier state.
    @discardableResult
    package func checkpointIfWanted() async throws -> Bool {
        guard try await isCheckpointWanted() else { return true }
        let isDone = try await writeWithoutTransaction { db in
            // A reader that stays must not hold up recording for the usual time.
            try db.execute(sql: "PRAGMA busy_timeout = 100")
            defer { try? db.execute(sql: "PRAGMA busy_timeout = \(Int(Self.busyTimeout * 1_000))") }
            return try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == 0
        }
        if isDone { try await write { db in try db.execute(sql: "UPDATE ledger SET checkpoint_wanted = 0") } }
        return isDone
    }
}
