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
