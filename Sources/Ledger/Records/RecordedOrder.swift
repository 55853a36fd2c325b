import Domain

/// The state of an order. The raw values are public.
package enum OrderStatus: String, Sendable, CaseIterable {
    case accepted
    case refused
    /// Accepted, and all of it was taken back.
    case cancelled
}

/// An order as the ledger holds it.
package struct RecordedOrder: Sendable {
    package var checkout: Checkout
    package var status: OrderStatus
    /// Why it was refused; nil if it was not.
    package var shortage: Shortage?
    package var seq: Int64?
    package var epoch: Int64
    package var units: Int64
    package var decidedAt: String
    package var entryID: String
    /// When the customer's data was removed.
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
