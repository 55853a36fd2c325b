import Inventory

/// What a stream entry can be; one case a message type.
package enum Message: Sendable, Equatable {
    case checkout(Checkout)
    case cancellation(Cancellation)
    case adjustment(Adjustment)
}

/// The types a message can have; the raw values stand in its field `type`.
package enum MessageType: String, Sendable, CaseIterable {
    case checkoutCompleted = "checkout.completed"
    case orderCancelled = "order.cancelled"
    case stockAdjusted = "stock.adjusted"
}
