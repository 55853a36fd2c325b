import Domain

/// The part of a batch that is already recorded, and the state that the batch's commands depend on.
package struct PriorState: Sendable {
    package var decisions: [Command.Key: PriorDecision] = [:]
    /// Dead letters with the requested entry ids, and the outcomes to announce for them, possibly for the second time.
    package var deadLetters: [EntryIdentity: RecordedOutcome] = [:]
    /// The units that each of `orders` still owns, each SKU once; there is no value for an order that does not exist.
    package var owned: [Identifier: [SKUUnits]] = [:]
    /// The payments for each of `paidOrders`, without amounts, according to the order and the refunds due. There is no
    /// value if neither an order nor a dead letter of a checkout has that id.
    package var payments: [Identifier: [Payment]] = [:]
    /// The balances of the counters to adjust.
    package var balances: [CounterName: Balance] = [:]

    package init() {}
}
