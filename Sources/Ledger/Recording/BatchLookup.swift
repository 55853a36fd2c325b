import Domain

/// The data to look up in the ledger before a batch is decided.
package struct BatchLookup: Sendable, Equatable {
    /// The keys of the batch's commands.
    package var keys: [Command.Key]
    /// The ids of the batch's entries, some of which may already be dead letters.
    package var entryIDs: [String]
    /// The orders from which the batch's commands take units.
    package var orders: [Identifier]
    /// The orders whose payments the batch's commands refer to.
    package var paidOrders: [Identifier]
    /// The counters that the batch's commands adjust.
    package var adjustedCounters: [CounterName]

    package init(
        keys: [Command.Key] = [], entryIDs: [String] = [], orders: [Identifier] = [],
        paidOrders: [Identifier] = [],
        adjustedCounters: [CounterName] = []
    ) {
        self.keys = keys
        self.entryIDs = entryIDs
        self.orders = orders
        self.paidOrders = paidOrders
        self.adjustedCounters = adjustedCounters
    }
}

/// The recorded decision on a command, as needed to handle a replay of it.
package struct PriorDecision: Sendable, Equatable {
    package var digest: [UInt8]
    /// The outcome to announce for it, possibly for the second time.
    package var outcome: RecordedOutcome

    package init(digest: [UInt8], outcome: RecordedOutcome) {
        self.digest = digest
        self.outcome = outcome
    }
}

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
