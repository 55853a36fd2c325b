import Domain

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
