/// An order taken back, whole or in part, as an `order.cancelled` message carries it.
package struct Cancellation: Sendable, Equatable {
    package let cancellationID: Identifier
    package let orderID: Identifier
    /// As the message gives it; not interpreted.
    package let cancelledAt: String?
    /// The lines of the message, each of 1 … `Limit.units` units; nil: all that the order still owns.
    package let items: [SKUUnits]?
    /// Whether the units can be sold again. If not, the order loses them and the counters do not change.
    package let restock: Bool
    /// Who sent it, as the message gives it.
    package let by: String?
    /// 32 bytes (`contentDigest`).
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

/// What a cancellation takes from its order, computed from what the order owned before.
package struct CancellationEffect: Sendable, Equatable {
    /// What is taken of one SKU.
    package struct Line: Sendable, Equatable {
        package var sku: SKU
        /// Units the message asks for; nil: all there are.
        package var asked: Int64?
        /// Those that the order owned, and does not own any more.
        package var released: Int64

        package init(_ sku: SKU, asked: Int64?, released: Int64) {
            self.sku = sku
            self.asked = asked
            self.released = released
        }
    }

    /// Each SKU once.
    package var lines: [Line]
    /// What the order owns afterwards, each SKU once, in the same order as before.
    package var remaining: [SKUUnits]
    /// Empty where nothing is taken.
    package var movements: [Movement]

    /// - Parameter owned: what the order owns before, each SKU once. A refused order owns nothing.
    package init(_ cancellation: Cancellation, from owned: [SKUUnits]) {
        lines = Self.lines(cancellation, from: owned)
        let released = Dictionary(uniqueKeysWithValues: lines.map { ($0.sku, $0.released) })
        remaining = owned.map { SKUUnits($0.sku, $0.units - (released[$0.sku] ?? 0)) }
        let taken = lines.lazy.filter { $0.released > 0 }.map { SKUUnits($0.sku, $0.released) }
        // Without restock the order no longer owns them, and no other order can: they stay sold.
        movements = cancellation.restock ? taken.movements(sold: -1) : taken.movements(adjusted: 1)
    }

    /// At most what the order owns, per SKU.
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
    /// The `reason` of its outcome where it asks for units that its order does not own.
    package static let notOwnedReason = "not_owned"

    /// Units that its movements bring back into stock.
    package func restocked(_ movements: [Movement]) -> Int64 {
        movements.reduce(0) { $1.counter.level == .product ? $0 - $1.sold : $0 }
    }

    /// Units that it asks for and its order did not own.
    package func notOwned(_ movements: [Movement]) -> Int64 {
        guard let items else { return 0 }
        let released = movements.reduce(0) { $1.counter.level == .product ? $0 + $1.adjusted - $1.sold : $0 }
        return items.reduce(0) { $0 + $1.units } - released
    }
}
