import Domain

/// The result of a request to erase orders.
package enum EraseResult: Sendable, Equatable {
    /// The customer data of this many orders and the bytes of this many dead letters were removed. This many refunds
    /// are due; their id, payment intent, amount and currency are kept, because they are needed.
    case erased(orders: Int, deadLetters: Int, refunds: Int)
    /// Neither an order nor a dead letter has these ids; nothing was changed.
    case unknown([Identifier])
    /// Dead letters of these orders must be published again, and need their bytes until then; nothing was changed. The
    /// value lists their numbers in ascending order.
    case awaitsReplay([Int64])
}
