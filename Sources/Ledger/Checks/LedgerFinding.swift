/// One finding that `doctor` reports about a ledger's storage.
package struct LedgerFinding: Sendable, Equatable {
    package enum Status: Sendable {
        case fine
        /// Needs an operator's attention.
        case doubtful
        /// The state could not be determined.
        case unknown
    }

    /// The examined part, such as "ledger log".
    package var subject: String
    package var status: Status
    /// The finding and, if it is doubtful, what to do; may be empty.
    package var detail: String

    package init(_ subject: String, _ status: Status, _ detail: String) {
        self.subject = subject
        self.status = status
        self.detail = detail
    }
}
