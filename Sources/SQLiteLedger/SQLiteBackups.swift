import Ledger

/// Backups of the ledger at one path: SQLite files.
struct SQLiteBackups: LedgerBackups {
    let ledger: String

    func backUp(
        store: String, to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        let source = try await LedgerDatabase.open(at: ledger, store: store, for: .reader)
        defer { try? source.close() }
        return try await source.backUp(to: path, progress: progress)
    }

    func prepare(
        from backup: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> any LedgerRestoration {
        try await SQLiteRestoration.prepare(from: backup, to: ledger, store: store, progress: progress)
    }
}
