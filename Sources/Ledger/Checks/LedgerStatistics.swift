import Domain

/// A snapshot of the counts that need an operator's attention, for `doctor` and operators.
package struct LedgerStatistics: Sendable, Equatable {
    package var head: LedgerHead
    package var orders: Int64
    package var refunds: RefundsDue
    /// Open dead letters, excluding those with a requested replay.
    package var openDeadLetters: Int64
    /// The size in bytes of the content of all dead letters.
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
