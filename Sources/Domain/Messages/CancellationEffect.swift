/// The units that a cancellation takes from its order, computed from those that the order owned before.
package struct CancellationEffect: Sendable, Equatable {
    /// The units that are taken of one SKU.
    package struct Line: Sendable, Equatable {
        package var sku: SKU
        /// Units that the message asks for; nil means all units of the order.
        package var asked: Int64?
        /// The asked units that the order owned and no longer owns.
        package var released: Int64

        package init(_ sku: SKU, asked: Int64?, released: Int64) {
            self.sku = sku
            self.asked = asked
            self.released = released
        }
    }

    /// One line for each SKU.
    package var lines: [Line]
    /// The units that the order owns afterwards, each SKU once, in the same order as before.
    package var remaining: [SKUUnits]
    /// The changes of the counters; empty if no units are taken.
    package var movements: [Movement]

    /// Computes the effect of a cancellation.
    /// - Parameter owned: the units that the order owns before, each SKU once. A refused order owns none.
    package init(_ cancellation: Cancellation, from owned: [SKUUnits]) {
        lines = Self.lines(cancellation, from: owned)
        let released = Dictionary(uniqueKeysWithValues: lines.map { ($0.sku, $0.released) })
        remaining = owned.map { SKUUnits($0.sku, $0.units - (released[$0.sku] ?? 0)) }
        let taken = lines.lazy.filter { $0.released > 0 }.map { SKUUnits($0.sku, $0.released) }
        // Without restock, the order no longer owns the units and no other order can: they stay sold.
        movements = cancellation.restock ? taken.movements(sold: -1) : taken.movements(adjusted: 1)
    }

    /// Returns the units to take per SKU, at most those that the order owns.
    private static func lines(_ cancellation: Cancellation, from owned: [SKUUnits]) -> [Line] {
        guard let items = cancellation.items else {
            return owned.filter { $0.units > 0 }.map { Line($0.sku, asked: nil, released: $0.units) }
        }
        let owned = Dictionary(uniqueKeysWithValues: owned.map { ($0.sku, $0.units) })
        return items.summed.map { item in
            Line(item.sku, asked: item.units, released: min(item.units, max(owned[item.sku] ?? 0, 0)))
        }
    }
}
