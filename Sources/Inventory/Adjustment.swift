/// Units that were sold, or came back, past the orders, as a `stock.adjusted` message carries them: sold elsewhere, given
/// away as samples, counted before Stocktake was there.
///
/// They are facts: no cap refuses them. But what orders have taken is theirs to give back, so an adjustment takes away
/// at most what earlier ones, and cancellations without restock, have added.
package struct Adjustment: Sendable, Equatable {
    package var adjustmentID: Identifier
    package var sku: SKU
    /// Added to the sold quantity; not 0, at most `Limit.adjustment` either way.
    package var units: Int64
    package var reason: String
    /// As the message gives it; not interpreted.
    package var adjustedAt: String?

    package init(
        adjustmentID: Identifier, sku: SKU, units: Int64, reason: String, adjustedAt: String? = nil
    ) {
        self.adjustmentID = adjustmentID
        self.sku = sku
        self.units = units
        self.reason = reason
        self.adjustedAt = adjustedAt
    }

    /// What keeps it from being recorded beside the units that a counter has, or nil.
    /// - Parameters:
    ///   - counter: one of those it changes.
    ///   - sold: all units sold.
    ///   - adjusted: those of them that no order owns.
    package func violation(of counter: CounterName, sold: Int64, adjusted: Int64) -> InvalidMessage? {
        let named = "\(counter.level.rawValue) \"\(counter.id)\""
        if adjusted + units < 0 {
            return InvalidMessage(
                .adjustmentTooLarge,
                "sold: \(units) would take away more than the \(adjusted) units that adjustments have added to \(named)"
            )
        }
        if sold + units > Limit.exactInteger {
            return InvalidMessage(
                .adjustmentTooLarge, "sold: \(units) more would pass \(Limit.exactInteger) in \(named)")
        }
        return nil
    }
}
