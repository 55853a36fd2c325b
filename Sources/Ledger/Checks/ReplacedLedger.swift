import Domain

/// What is in the ledger's place before a backup takes it.
package enum ReplacedLedger: Sendable, Equatable {
    case none
    case readable(identity: String, LedgerHead)
    /// It cannot be opened, or the log beside it is of another state; kept as it is, with its log.
    case damaged
}
