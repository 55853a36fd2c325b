/// A full or partial cancellation of an order, from an `order.cancelled` message.
package struct Cancellation: Sendable, Equatable {
    package let cancellationID: Identifier
    package let orderID: Identifier
    /// The time as the message gives it; not interpreted.
    package let cancelledAt: String?
    /// The lines of the message, each with 1 … `Limit.units` units; nil means all units that the order still owns.
    package let items: [SKUUnits]?
    /// Whether the units can be sold again. If not, the order loses them and the counters do not change.
    package let restock: Bool
    /// The sender's name, as the message gives it.
    package let by: String?
    /// The digest of the content, 32 bytes (`contentDigest`).
    package let digest: [UInt8]

    package init(
        cancellationID: Identifier, orderID: Identifier, cancelledAt: String? = nil, items: [SKUUnits]? = nil,
        restock: Bool = true, by: String? = nil
    ) {
        self.cancellationID = cancellationID
        self.orderID = orderID
        self.cancelledAt = cancelledAt
        self.items = items
        self.restock = restock
        self.by = by
        digest = Self.contentDigest(order: orderID, items: items, restock: restock)
    }
}

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

extension Cancellation {
    /// The `reason` of the outcome if a cancellation asks for units that its order does not own.
    package static let notOwnedReason = "not_owned"

    /// Returns the number of units that the movements return to stock.
    package func restocked(_ movements: [Movement]) -> Int64 {
        movements.reduce(0) { $1.counter.level == .product ? $0 - $1.sold : $0 }
    }

    /// Returns the number of units that the cancellation asks for and its order did not own.
    package func notOwned(_ movements: [Movement]) -> Int64 {
        guard let items else { return 0 }
        let released = movements.reduce(0) { $1.counter.level == .product ? $0 + $1.adjusted - $1.sold : $0 }
        return items.reduce(0) { $0 + $1.units } - released
    }
}
