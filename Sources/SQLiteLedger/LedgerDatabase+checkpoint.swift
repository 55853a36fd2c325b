import GRDB

// Checkpoints, which make removed data disappear from both the file and its log.
extension LedgerDatabase {
    /// Requests a checkpoint, in the transaction that has removed something.
    static func wantCheckpoint(_ db: Database) throws {
        try db.execute(sql: "UPDATE ledger SET checkpoint_wanted = checkpoint_wanted + 1")
    }

    package func isErasureComplete() async throws -> Bool {
        try await checkpointWishes() == 0
    }

    /// Makes a checkpoint if one is wanted: removed data is then overwritten in the file, and the log is empty.
    @discardableResult
    package func completeErasure() async throws -> Bool {
        let wishes = try await checkpointWishes()
        if wishes == 0 { return true }
        let isDone = try await writeWithoutTransaction { db in
            // A long-running reader must not delay recording for the usual timeout.
            try db.execute(sql: "PRAGMA busy_timeout = 100")
            defer { try? db.execute(sql: "PRAGMA busy_timeout = \(Int(Self.busyTimeout * 1_000))") }
            return try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == 0
        }
        return isDone ? try await endCheckpointWishes(wishes) : false
    }

    /// How many removals have not been followed by a checkpoint yet.
    func checkpointWishes() async throws -> Int64 {
        try await read { db in try Int64.fetchOne(db, sql: "SELECT checkpoint_wanted FROM ledger") ?? 0 }
    }

    /// Notes that a checkpoint has followed `wishes` removals. A removal that was committed during the checkpoint has
    /// raised the number: then all requests remain, and the next checkpoint serves them.
    /// - Returns: whether none is wanted any more.
    func endCheckpointWishes(_ wishes: Int64) async throws -> Bool {
        try await write { db in
            try db.execute(
                sql: "UPDATE ledger SET checkpoint_wanted = 0 WHERE checkpoint_wanted = ?", arguments: [wishes])
            return db.changesCount == 1
        }
    }
}
