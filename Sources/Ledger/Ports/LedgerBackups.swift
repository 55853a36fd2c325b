/// Makes backups of a whole ledger, each a single file, and restores a backup in place of the ledger.
///
/// Errors: `LedgerError`; of kind `refused` if a file exists already, a copy is unsound, or a backup is unsuitable.
package protocol LedgerBackups: Sendable {
    /// Copies a snapshot of the ledger into a new file, even while a consumer writes, and checks the copy. The file
    /// gets its name only once it is complete, sound and on disk.
    /// - Parameters:
    ///   - store: the store that the ledger must belong to.
    ///   - path: the path of the new file, which must not exist.
    func backUp(
        store: String, to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy

    /// Locks the ledger against all other processes, copies the backup next to it, and checks the copy. A ledger that
    /// cannot be read is not locked. The lock is held until `takePlace` or `abandon`.
    ///
    /// The caller must hold the lease. The ledger need not exist.
    /// - Parameters:
    ///   - backup: the path of a backup of a ledger of `store`.
    ///   - store: the store whose ledger is replaced.
    func prepare(
        from backup: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> any LedgerRestoration
}
