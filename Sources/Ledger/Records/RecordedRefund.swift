import Domain

/// A refund as stored in the ledger.
package struct RecordedRefund: Sendable, Equatable {
    /// The refund, without its payment intent if that was erased.
    package var refund: Refund
    package var decidedAt: String
    package var entryID: String

    package init(refund: Refund, decidedAt: String, entryID: String) {
        self.refund = refund
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
