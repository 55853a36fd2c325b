/// Units that were sold or returned outside of orders, from a `stock.adjusted` message: sold elsewhere, given away as
/// samples, counted before Stocktake was introduced.
///
/// Adjustments are facts: no cap refuses them. But only a cancellation returns the units of an order, so an adjustment
/// removes at most what earlier adjustments, and cancellations without restock, have added.
package struct Adjustment: Sendable, Equatable {
    package let adjustmentID: Identifier
    package let sku: SKU
    /// Units added to the sold quantity; not 0, at most `Limit.adjustment` in either direction.
    package let units: Int64
    package let reason: String
    /// The time as the message gives it; not interpreted.
    package let adjustedAt: String?
    /// The sender's name, as the message gives it.
    package let by: String?
    /// The digest of the content, 32 bytes (`contentDigest`).
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

    /// The movements of this adjustment, one for each counter of the SKU.
    package var movements: [Movement] {
        CollectionOfOne(SKUUnits(sku, units)).movements(sold: 1, adjusted: 1)
    }

    /// Returns why the adjustment cannot be recorded, given the balances of its counters, or nil.
    /// - Parameter balance: returns a counter's balance before the adjustment; nil means unknown, which is no obstacle.
    package func violation(by balance: (CounterName) throws -> Balance?) rethrows -> InvalidMessage? {
        for counter in sku.counters {
            if let balance = try balance(counter), let invalid = violation(of: counter, balance) { return invalid }
        }
        return nil
    }

    /// Returns why the adjustment cannot be recorded, given the balance of one counter, or nil.
    /// - Parameters:
    ///   - counter: one of the counters that the adjustment changes.
    ///   - balance: the balance of that counter before the adjustment.
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
                .adjustmentTooLarge, "sold: \(units) more would exceed \(Limit.exactInteger) in \(named)")
        }
        return nil
    }
}
