import Domain

/// A cancellation as stored in the ledger.
package struct RecordedCancellation: Sendable {
    /// The units of one SKU that the cancellation requested, took from the order, and returned to the counters.
    package struct Item: Sendable, Equatable {
        package var sku: SKU
        /// `nil` if it requested all that the order owned.
        package var asked: Int64?
        package var released: Int64
        package var givenBack: Int64

        package init(sku: SKU, asked: Int64?, released: Int64, givenBack: Int64) {
            self.sku = sku
            self.asked = asked
            self.released = released
            self.givenBack = givenBack
        }
    }

    package var id: Identifier
    package var cancelledAt: String?
    package var restock: Bool
    /// `nil` if no counter changed.
    package var seq: Int64?
    /// The units returned to the counters.
    package var units: Int64
    /// Requested units that the order did not own.
    package var notOwned: Int64
    package var decidedAt: String
    package var entryID: String
    package var items: [Item]

    package init(
        id: Identifier, cancelledAt: String?, restock: Bool, seq: Int64?, units: Int64, notOwned: Int64,
        decidedAt: String, entryID: String, items: [Item]
    ) {
        self.id = id
        self.cancelledAt = cancelledAt
        self.restock = restock
        self.seq = seq
        self.units = units
        self.notOwned = notOwned
        self.decidedAt = decidedAt
        self.entryID = entryID
        self.items = items
    }
}

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
