/// Units that were sold or returned outside of orders, as a `stock.adjusted` message carries them: sold elsewhere,
/// given away as samples, counted before Stocktake was in use.
///
/// They are facts: no cap refuses them. But only a cancellation returns what an order has taken, so an adjustment takes
/// away at most what earlier adjustments, and cancellations without restock, have added.
package struct Adjustment: Sendable, Equatable {
    package let adjustmentID: Identifier
    package let sku: SKU
    /// Added to the sold quantity; not 0, at most `Limit.adjustment` either way.
    package let units: Int64
    package let reason: String
    /// As the message gives it; not interpreted.
    package let adjustedAt: String?
    /// Who sent it, as the message gives it.
    package let by: String?
    /// 32 bytes (`contentDigest`).
    package let digest: [UInt8]

    package init(
        adjustmentID: Identifier, sku: SKU, units: Int64, reason: String, adjustedAt: String? = nil, by: String? = nil
    ) {
        self.adjustmentID = adjustmentID
        self.sku = sku
        self.units = units
        self.reason = reason
        self.adjustedAt = adjustedAt
        self.by = by
        digest = Self.contentDigest(sku, units: units)
    }

    /// One for each counter of the SKU.
    package var movements: [Movement] {
        CollectionOfOne(SKUUnits(sku, units)).movements(sold: 1, adjusted: 1)
    }

    /// Why it cannot be recorded, given the units that its counters have, or nil.
    /// - Parameter balance: of a counter, before; nil: it is unknown, and no obstacle.
    package func violation(by balance: (CounterName) throws -> Balance?) rethrows -> InvalidMessage? {
        for counter in sku.counters {
            if let balance = try balance(counter), let invalid = violation(of: counter, balance) { return invalid }
        }
        return nil
    }

    /// Why it cannot be recorded, given the units that a counter has, or nil.
    /// - Parameters:
    ///   - counter: one of those it changes.
    ///   - balance: of that counter, before.
    package func violation(of counter: CounterName, _ balance: Balance) -> InvalidMessage? {
        let named = "\(counter.level.rawValue) \"\(counter.id)\""
        if balance.adjusted + units < 0 {
            return InvalidMessage(
                .adjustmentTooLarge,
                "sold: \(units) would take away more than the \(balance.adjusted) units that adjustments have added to \(named)"
            )
        }
        if balance.sold + units > Limit.exactInteger {
            return InvalidMessage(
                .adjustmentTooLarge, "sold: \(units) more would pass \(Limit.exactInteger) in \(named)")
        }
        return nil
    }
}
