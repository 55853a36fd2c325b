import Domain

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

/// A checked copy of a backup beside the ledger, ready to take its place. Nothing has changed yet.
package protocol LedgerRestoration: Sendable {
    var copy: LedgerCopy { get }
    /// The backup's identity.
    var identity: String { get }
    var replaced: ReplacedLedger { get }
    /// The stream id of the newest message that the backup has recorded; `nil` if there is none.
    var newestEntry: StreamID? { get }

    /// Returns the rows that the replaced ledger has but the backup lacks, or `nil` if the ledger cannot be opened.
    func missing() async throws -> MissingRows?

    /// Sets the copy's epoch to at least `epoch`, so that the next one is above every epoch that was ever installed.
    /// - Parameter by: the operator who restores it, recorded in an `AuditEntry`.
    func raiseEpoch(above epoch: Int64, by: String?) async throws

    /// Replaces the ledger with the copy. A crash leaves either the old ledger or the new one.
    /// - Returns: the new name of the replaced file, or `nil` if there was none.
    func takePlace() throws -> String?

    /// Removes the copy and leaves the ledger unchanged.
    func abandon()
}
