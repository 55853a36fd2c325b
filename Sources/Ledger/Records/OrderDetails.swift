import Domain

/// A cancellation as the ledger holds it.
package struct RecordedCancellation: Sendable {
    /// How many units of one SKU were asked for, taken from the order, and given back to the counters.
    package struct Item: Sendable, Equatable {
        package var sku: SKU
        /// nil: all there were.
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
    /// nil where no counter changed.
    package var seq: Int64?
    /// Units given back.
    package var units: Int64
    /// Units asked for that the order did not own.
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

/// A refund as the ledger holds it.
package struct RecordedRefund: Sendable, Equatable {
    /// Without its payment intent if that was erased.
    package var refund: Refund
    package var decidedAt: String
    package var entryID: String

    package init(refund: Refund, decidedAt: String, entryID: String) {
        self.refund = refund
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}

/// All that the ledger knows about one order.
package struct OrderDetails: Sendable {
    /// nil: only dead letters have its id.
    package var order: RecordedOrder?
    /// In the order in which they were recorded.
    package var cancellations: [RecordedCancellation]
    /// In the order in which they were recorded, like the dead letters.
    package var refunds: [RecordedRefund]
    /// What is to be given back.
    package var refundsDue: [RefundDue]
    /// What it still owns, each SKU once; without SKUs of which nothing is left.
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
