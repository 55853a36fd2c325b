/// The state of a ledger's storage, as far as it can be determined without writing.
package struct LedgerCondition: Sendable, Equatable {
    /// Why the ledger cannot be written. It contains no path, because it may be shown to anyone. `nil` if no obstacle
    /// was found; a write may still fail.
    package var obstacle: String?
    /// A warning for the operator about something that works but should be checked; `nil` if there is none.
    package var notice: String?
    /// Size in bytes, including the log.
    package var bytes: Int64
    /// Size of the log in bytes; 0 if the backend has none.
    package var logBytes: Int64

    package init(obstacle: String? = nil, notice: String? = nil, bytes: Int64 = 0, logBytes: Int64 = 0) {
        self.obstacle = obstacle
        self.notice = notice
        self.bytes = bytes
        self.logBytes = logBytes
    }
}

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
