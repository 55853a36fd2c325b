/// The units that one counter has counted, and its cap.
package struct Balance: Sendable, Equatable {
    /// Units sold, through orders or outside of them.
    package var sold: Int64
    /// The sold units that no order owns: they come from adjustments, and from cancellations without restock.
    package var adjusted: Int64
    /// The maximum number of units that may be sold; nil = unlimited.
    package var cap: Int64?

    /// Units that may still be sold, never below 0.
    package var left: Int64 { CapRule.left(sold: sold, cap: cap) }

    package mutating func apply(_ movement: Movement) {
        sold += movement.sold
        adjusted += movement.adjusted
    }

    package init(sold: Int64, adjusted: Int64 = 0, cap: Int64?) {
        self.sold = sold
        self.adjusted = adjusted
        self.cap = cap
    }
}
