/// A checkout with everything that is computed from it alone: how it changes each counter, and the digest of its
/// content.
///
/// It is a class because it passes through every stage: retaining and releasing about twenty strings on each hand-over
/// took a tenth of the consumer's time.
package final class Order: Sendable {
    package let checkout: Checkout
    /// The movements of the order, one for each counter that it names.
    package let movements: [Movement]
    /// The digest of the content, 32 bytes (`Checkout.contentDigest`).
    package let digest: [UInt8]

    package var id: Identifier { checkout.orderID }

    package init(_ checkout: Checkout) {
        self.checkout = checkout
        movements = checkout.lines.lazy.map { SKUUnits($0.sku, $0.units) }.movements(
            sold: 1, capacity: checkout.lines.count * 2)
        digest = checkout.contentDigest
    }
}

extension Order: Equatable {
    package static func == (left: Order, right: Order) -> Bool { left.checkout == right.checkout }
}
