import Domain

/// An order as stored in the ledger.
package struct RecordedOrder: Sendable {
    package var checkout: Checkout
    package var status: OrderStatus
    /// Why it was refused; `nil` if it was not.
    package var shortage: Shortage?
    package var seq: Int64?
    package var epoch: Int64
    package var units: Int64
    package var decidedAt: String
    package var entryID: String
    /// When the customer's data was removed; `nil` if it was not.
    package var erasedAt: String?

    package init(
        checkout: Checkout, status: OrderStatus, shortage: Shortage?, seq: Int64?, epoch: Int64, units: Int64,
        decidedAt: String, entryID: String, erasedAt: String?
    ) {
        self.checkout = checkout
        self.status = status
        self.shortage = shortage
        self.seq = seq
        self.epoch = epoch
        self.units = units
        self.decidedAt = decidedAt
        self.entryID = entryID
        self.erasedAt = erasedAt
    }
}
