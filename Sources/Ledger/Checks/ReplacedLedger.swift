import Domain

/// The file in the ledger's place before a backup replaces it.
package enum ReplacedLedger: Sendable, Equatable {
    case none
    case readable(identity: String, LedgerHead)
    /// The file cannot be opened, or the log beside it belongs to a different state. Both are kept unchanged.
    case damaged
}
