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
    /// Another process uses it, or makes the same copy.
    case inUse
    /// What was asked for cannot be done with this ledger or this backup; nothing was changed.
    case refused
    /// Another ledger is in the place of the open one: what is recorded would be lost.
    case replaced
    /// What the ledger is stored in is damaged, and only another copy helps. What was found does not say where it lies:
    /// it is shown to anyone.
    case damaged(finding: String)
    case failed
}

extension LedgerError {
    package var isTransient: Bool { kind == .transient }

    /// What was found to be damaged; nil: it is not about damage.
    package var damage: String? {
        if case .damaged(let finding) = kind { finding } else { nil }
    }
}
