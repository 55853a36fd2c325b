import Domain

/// The result of a request to erase orders.
package enum EraseResult: Sendable, Equatable {
    /// The customers' data of this many orders, and the bytes of this many dead letters, are removed. This many refunds
    /// are due, which need id, payment intent, amount and currency: these are kept.
    case erased(orders: Int, deadLetters: Int, refunds: Int)
    /// Neither an order nor a dead letter has these ids; nothing was changed.
    case unknown([Identifier])
    /// Dead letters of these orders must be published again, and need their bytes until then; nothing was changed.
    /// Their numbers, ascending.
    case awaitsReplay([Int64])
}
