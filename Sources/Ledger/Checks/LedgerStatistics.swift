import Domain

/// What needs an operator's attention: counts for `doctor` and operators, at one moment.
package struct LedgerStatistics: Sendable, Equatable {
    package var head: LedgerHead
    package var orders: Int64
    package var refunds: RefundsDue
    /// Open dead letters, without those that must be published again.
    package var openDeadLetters: Int64
    /// Bytes of the content of all dead letters.
    package var deadLetterBytes: Int64
    package var requestedReplays: Int64

    package init(
        head: LedgerHead, orders: Int64, refunds: RefundsDue, openDeadLetters: Int64, deadLetterBytes: Int64,
        requestedReplays: Int64
    ) {
        self.head = head
        self.orders = orders
        self.refunds = refunds
        self.openDeadLetters = openDeadLetters
        self.deadLetterBytes = deadLetterBytes
        self.requestedReplays = requestedReplays
    }
}
