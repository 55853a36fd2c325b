import Inventory

/// What a stream entry can be; one case a message type.
package enum Message: Sendable, Equatable {
    /// `type` is `checkout.completed`.
    case checkout(Checkout)
}
