import Inventory

/// Files that hold a copy of a whole ledger: making them, and putting one in the ledger's place.
package protocol LedgerBackups: Sendable {
    /// Copies the ledger as it is at this moment into one new file, also while it is being written, and checks the copy.
    /// The file gets its name only once it is complete, sound and on disk.
    /// - Parameter store: the store that the ledger must belong to.
    func backUp(
        store: String, to path: String, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> LedgerCopy

    /// Copies a backup beside the ledger, checks the copy, and keeps all other processes from the ledger until the end.
    /// - Parameters:
    ///   - backup: a ledger of `store`.
    ///   - store: whose ledger it becomes. Nothing need exist in the ledger's place. The caller has the lease.
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
    var newestEntry: EntryPosition? { get }

    /// What the replaced ledger holds and the backup does not; nil if it cannot be opened.
    func missing() async throws -> MissingRows?

    /// Sets the copy's epoch to at least `epoch`, so that the next one is above every epoch that was ever installed.
    func raiseEpoch(above epoch: Int64) async throws

    /// Puts the copy in the ledger's place. A crash leaves either the old ledger or the new one.
    /// - Returns: the new name of what was there before; nil if nothing was.
    func takePlace() throws -> String?

    /// Removes the copy: nothing has changed.
    func abandon()
}
