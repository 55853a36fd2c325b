package enum LedgerErrorKind: Sendable, Equatable {
    /// The same operation may succeed later.
    case transient
    /// There is no ledger.
    case missing
    /// A new ledger was requested, but there is one already.
    case alreadyExists
    /// Another process has the ledger open, holds its lease, or is making the same copy.
    case inUse
    /// The state of the ledger or the backup does not allow the operation; nothing was changed.
    case refused
    /// The open ledger was moved, deleted or replaced, so later writes would be lost.
    case replaced
    /// The ledger's storage is damaged; only restoring a backup helps. `finding` contains no path, because it may be
    /// shown to anyone.
    case damaged(finding: String)
    /// Any other failure. Waiting does not help.
    case failed
}
