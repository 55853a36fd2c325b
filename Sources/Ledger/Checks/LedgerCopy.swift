/// The progress of a copy.
package enum CopyProgress: Sendable {
    case copying(done: Int64, of: Int64)
    /// The complete copy is being read back.
    case checking
}

/// A copy that was made and checked.
package struct LedgerCopy: Sendable {
    package var bytes: Int64
    package var check: LedgerCheck

    package init(bytes: Int64, check: LedgerCheck) {
        self.bytes = bytes
        self.check = check
    }
}
