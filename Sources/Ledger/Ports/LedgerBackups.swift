import Domain

/// Backups of a whole ledger, each a single file: makes them, and restores one in place of the ledger.
///
/// Errors: `LedgerError`; of kind `refused` if a file exists already, a copy is unsound, or a backup does not fit.
package protocol LedgerBackups: Sendable {
    /// Copies a snapshot of the ledger into a new file, also while a consumer writes, and checks the copy. The file
    /// gets its name only once it is complete, sound and on disk.
    /// - Parameters:
    ///   - store: the store that the ledger must belong to.
    ///   - path: of the new file, which must not exist.
    func backUp(
        store: String, to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy

    /// Locks the ledger against all other processes, copies the backup next to it, and checks the copy. A ledger that
    /// cannot be read is not locked. The lock is held until `takePlace` or `abandon`.
    ///
    /// The caller must hold the lease. The ledger need not exist.
    /// - Parameters:
    ///   - backup: path of a backup of a ledger of `store`.
    ///   - store: the store whose ledger is replaced.
    func prepare(
        from backup: String, store: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> any LedgerRestoration
}

/// A checked copy of a backup beside the ledger, ready to take its place. Nothing has changed yet.
package protocol LedgerRestoration: Sendable {
    var copy: LedgerCopy { get }
    /// The identity of the backup.
    var identity: String { get }
    var replaced: ReplacedLedger { get }
    /// The last message that the backup has recorded; nil if none.
    var newestEntry: StreamID? { get }

    /// What the replaced ledger holds and the backup does not; nil if it cannot be opened.
    func missing() async throws -> MissingRows?

    /// Sets the copy's epoch to at least `epoch`, so that the next one is above every epoch that was ever installed.
    /// - Parameter by: who restores it, kept as an `AuditEntry`.
    func raiseEpoch(above epoch: Int64, by: String?) async throws

    /// Puts the copy in the ledger's place. A crash leaves either the old ledger or the new one.
    /// - Returns: the new name of what was there before; nil if nothing was.
    func takePlace() throws -> String?

    /// Removes the copy: nothing has changed.
    func abandon()
}
