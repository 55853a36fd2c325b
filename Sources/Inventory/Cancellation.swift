/// An order taken back, whole or in part, as an `order.cancelled` message carries it.
package struct Cancellation: Sendable, Equatable {
    package var cancellationID: Identifier
    package var orderID: Identifier
    /// As the message gives it; not interpreted.
    package var cancelledAt: String?
    /// The lines of the message, each of 1 … `Limit.quantity` units; nil: all that the order still owns.
    package var items: [SKUUnits]?
    /// Whether the units can be sold again. If not, the order loses them and the counters stay.
    package var restock: Bool

    package init(
        cancellationID: Identifier, orderID: Identifier, cancelledAt: String? = nil, items: [SKUUnits]? = nil,
        restock: Bool = true
    ) {
        self.cancellationID = cancellationID
        self.orderID = orderID
        self.cancelledAt = cancelledAt
        self.items = items
        self.restock = restock
    }

    /// What it takes from an order: at most what the order owns, per product and variant.
    ///
    /// - Parameter owned: what the order still owns, each SKU once. A refused order owns nothing.
    package func releases(from owned: [SKUUnits]) -> [Release] {
        guard let items else {
            return owned.filter { $0.units > 0 }.map { Release(sku: $0.sku, asked: nil, released: $0.units) }
        }
        let owned = Dictionary(uniqueKeysWithValues: owned.map { ($0.sku, $0.units) })
        return items.summed.map { item in
            Release(
                sku: item.sku, asked: item.units, released: min(item.units, max(owned[item.sku] ?? 0, 0)))
        }
    }
}

extension Cancellation {
    /// Units that it asks for and its order does not own.
    package static func notOwned(_ releases: [Release]) -> Int64 {
        releases.reduce(0) { $0 + ($1.asked ?? $1.released) - $1.released }
    }

    /// The `reason` of its outcome where it asks for units that its order does not own.
    package static let notOwnedReason = "not_owned"

    /// What an order owns once `releases` were taken from what it owned, each SKU once, in the same order.
    package static func remaining(of owned: [SKUUnits], after releases: [Release]) -> [SKUUnits] {
        let released = Dictionary(uniqueKeysWithValues: releases.map { ($0.sku, $0.released) })
        return owned.map { SKUUnits($0.sku, $0.units - (released[$0.sku] ?? 0)) }
    }

    /// What of its releases goes back to the counters.
    package func givenBack(_ releases: [Release]) -> [SKUUnits] {
        restock ? releases.filter { $0.released > 0 }.map { SKUUnits($0.sku, $0.released) } : []
    }
}

/// What of one SKU a cancellation takes from its order.
package struct Release: Sendable, Equatable {
    package var sku: SKU
    /// Units the message asks for; nil: all there are.
    package var asked: Int64?
    /// Units the order owned of them, and does not own any more.
    package var released: Int64

    package init(sku: SKU, asked: Int64?, released: Int64) {
        self.sku = sku
        self.asked = asked
        self.released = released
    }
}
