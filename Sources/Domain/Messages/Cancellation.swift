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
