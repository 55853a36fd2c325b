/// A checkout with all that is worked out of it alone: what it asks of each counter, and the digest of its content.
///
/// A class, as it goes through every stage: counting references to some twenty texts whenever an order was handed on
/// took a tenth of the consumer's time.
package final class Order: Sendable {
    package let checkout: Checkout
    package let demand: [Demand]
    /// 32 bytes (`Checkout.contentDigest`).
    package let digest: [UInt8]

    package var id: Identifier { checkout.orderID }

    package init(_ checkout: Checkout) {
        self.checkout = checkout
        demand = checkout.demand
        digest = checkout.contentDigest
    }
}
