/// A copy that was made and checked.
package struct LedgerCopy: Sendable {
    package var bytes: Int64
    package var check: LedgerCheck

    package init(bytes: Int64, check: LedgerCheck) {
        self.bytes = bytes
        self.check = check
    }
}
