/// The state of what a ledger is stored in, as far as it shows without a write.
package struct LedgerCondition: Sendable, Equatable {
    /// What prevents writing, for anyone to see; nil: nothing that shows.
    package var obstacle: String?
    /// What is not wrong, but should be checked, for the operator; nil: nothing.
    package var notice: String?
    /// Bytes that it takes, and those of its log among them.
    package var bytes: Int64
    package var logBytes: Int64

    package init(obstacle: String? = nil, notice: String? = nil, bytes: Int64 = 0, logBytes: Int64 = 0) {
        self.obstacle = obstacle
        self.notice = notice
        self.bytes = bytes
        self.logBytes = logBytes
    }
}

/// One thing that `doctor` reports about what a ledger is stored in.
package struct LedgerFinding: Sendable, Equatable {
    package enum Status: Sendable {
        case fine
        /// To be looked at.
        case doubtful
        case unknown
    }

    /// "ledger log".
    package var subject: String
    package var status: Status
    /// What was found and, if it is doubtful, what to do.
    package var detail: String

    package init(_ subject: String, _ status: Status, _ detail: String) {
        self.subject = subject
        self.status = status
        self.detail = detail
    }
}
