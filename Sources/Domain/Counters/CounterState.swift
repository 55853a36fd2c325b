/// One counter with its cap, as read from the ledger or Redis.
package struct CounterState: Sendable, Equatable {
    /// Units sold; nil if the source has no value (unknown, which is never taken for 0).
    package var sold: Int64?
    /// The maximum number of units that may be sold; nil = unlimited.
    package var cap: Int64?
    /// Whether the catalogue still offers it. An inactive product or variant takes no new orders.
    package var isActive: Bool

    package init(sold: Int64?, cap: Int64?, isActive: Bool) {
        self.sold = sold
        self.cap = cap
        self.isActive = isActive
    }
}
