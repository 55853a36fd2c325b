/// Why an operation on a ledger failed. The text states what failed, on what, why, and what to do; the kind is what
/// callers act on.
package protocol LedgerError: Error, CustomStringConvertible {
    var kind: LedgerErrorKind { get }
}

package enum LedgerErrorKind: Sendable, Equatable {
    /// Waiting may help: the same operation may succeed later.
    case transient
    /// There is no ledger.
    case missing
    /// There is a ledger already, and a new one was requested.
    case alreadyExists
    /// Another process has the ledger open, holds its lease, or is making the same copy.
    case inUse
    /// The ledger or the backup does not allow the operation; nothing was changed.
    case refused
    /// The open ledger was moved, deleted or replaced: later writes would be lost.
    case replaced
    /// The ledger's storage is damaged; only restoring a backup helps. `finding` names no path: it may be shown to
    /// anyone.
    case damaged(finding: String)
    /// Any other failure. Waiting does not help.
    case failed
}

extension LedgerError {
    package var isTransient: Bool { kind == .transient }

    /// What was found to be damaged; nil: it is not about damage.
    package var damage: String? {
        if case .damaged(let finding) = kind { finding } else { nil }
    }
}
