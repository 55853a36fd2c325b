import Ledger

/// Makes and restores backups of the ledger at one path. A backup is a SQLite file.
struct SQLiteBackups: LedgerBackups {
    let ledger: String

    func backUp(
        store: String, to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy {
        let source: LedgerDatabase
        do {
            source = try await LedgerDatabase.open(at: ledger, store: store, for: .reader)
        } catch let error as SQLiteLedgerError {
            // A ledger whose log belongs to a different state cannot be copied.
            if case .mixed = error { throw SQLiteLedgerError.refused(error) }
            throw error
        }
        defer { try? source.close() }
        return try await source.backUp(to: path, progress: progress)
    }

    func prepare(
        from backup: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> any LedgerRestoration {
        try await SQLiteRestoration.prepare(from: backup, to: ledger, store: store, progress: progress)
    }
}
