import Domain

/// Everything that the ledger knows about one order.
package struct OrderDetails: Sendable {
    /// `nil` if only dead letters have this id.
    package var order: RecordedOrder?
    /// In the order of recording.
    package var cancellations: [RecordedCancellation]
    /// In the order of recording, like the dead letters.
    package var refunds: [RecordedRefund]
    /// The refunds that are still due.
    package var refundsDue: [RefundDue]
    /// The units that the order still owns, each SKU once, omitting SKUs with no units left.
    package var owned: [SKUUnits]
    /// Without their bytes, oldest first.
    package var deadLetters: [RecordedDeadLetter]

    package init(
        order: RecordedOrder?, cancellations: [RecordedCancellation], refunds: [RecordedRefund],
        refundsDue: [RefundDue], owned: [SKUUnits],
        deadLetters: [RecordedDeadLetter]
    ) {
        self.order = order
        self.cancellations = cancellations
        self.refunds = refunds
        self.refundsDue = refundsDue
        self.owned = owned
        self.deadLetters = deadLetters
    }
}
