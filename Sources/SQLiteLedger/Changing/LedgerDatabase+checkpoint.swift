import GRDB

// Checkpoints remove deleted data from both the file and its log.
extension LedgerDatabase {
    /// Requests a checkpoint. Must run in the transaction that removes the data.
    static func requestCheckpoint(_ db: Database) throws {
        try db.execute(sql: "UPDATE ledger SET checkpoint_wanted = checkpoint_wanted + 1")
    }

    package func isErasureComplete() async throws -> Bool {
        try await checkpointRequests() == 0
    }

    /// Makes a checkpoint if one is requested, which overwrites removed data in the file and empties the log.
    @discardableResult
    package func completeErasure() async throws -> Bool {
        let wishes = try await checkpointRequests()
        if wishes == 0 { return true }
        let isDone = try await writeWithoutTransaction { db in
            // A long-running reader must not delay recording for the usual timeout.
            try db.execute(sql: "PRAGMA busy_timeout = 100")
            defer { try? db.execute(sql: "PRAGMA busy_timeout = \(Int(Self.busyTimeout * 1_000))") }
            return try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == 0
        }
        return isDone ? try await completeCheckpointRequests(wishes) : false
    }

    /// Returns the number of removals that no checkpoint has followed yet.
    func checkpointRequests() async throws -> Int64 {
        try await read { db in try Int64.fetchOne(db, sql: "SELECT checkpoint_wanted FROM ledger") ?? 0 }
    }

    /// Records that a checkpoint has followed `wishes` removals. If a removal was committed during the checkpoint, the
    /// number is higher: then all requests remain, and the next checkpoint serves them.
    /// - Returns: whether no request remains.
    func completeCheckpointRequests(_ wishes: Int64) async throws -> Bool {
        try await write { db in
            try db.execute(
                sql: "UPDATE ledger SET checkpoint_wanted = 0 WHERE checkpoint_wanted = ?", arguments: [wishes])
            return db.changesCount == 1
        }
    }
}
