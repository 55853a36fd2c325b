/// Why an operation on a ledger failed. The text states what failed, on what, why, and what to do; callers act on the
/// kind.
package protocol LedgerError: Error, CustomStringConvertible {
    var kind: LedgerErrorKind { get }
}

extension LedgerError {
    package var isTransient: Bool { kind == .transient }

    /// The damage that was found; `nil` if the error does not report damage.
    package var damage: String? {
        if case .damaged(let finding) = kind { finding } else { nil }
    }
}
