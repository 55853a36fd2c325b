import Domain

/// What the ledger is asked before a batch is decided.
package struct BatchLookup: Sendable, Equatable {
    /// The keys of its commands.
    package var keys: [Command.Key]
    /// The ids of its entries: some may be dead letters already.
    package var entryIDs: [String]
    /// Orders whose units its commands take away.
    package var orders: [Identifier]
    /// Orders whose payments its commands are about.
    package var paidOrders: [Identifier]
    /// Counters to adjust.
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

/// What a replay needs to know about a recorded command.
package struct PriorDecision: Sendable, Equatable {
    package var digest: [UInt8]
    /// The outcome to announce (again) for it.
    package var outcome: RecordedOutcome

    package init(digest: [UInt8], outcome: RecordedOutcome) {
        self.digest = digest
        self.outcome = outcome
    }
}

/// What the ledger has already recorded of a batch, and what the batch's commands depend on.
package struct PriorState: Sendable {
    package var decisions: [Command.Key: PriorDecision] = [:]
    /// Dead letters with the requested entry ids, and the outcomes to announce (again) for them.
    package var deadLetters: [EntryIdentity: RecordedOutcome] = [:]
    /// What `orders` still own, each SKU once; missing for an order that does not exist.
    package var owned: [Identifier: [SKUUnits]] = [:]
    /// What was paid for `paidOrders`, according to the order and to what is due, without amounts; missing: there is
    /// neither an order nor a dead letter of a checkout with that id.
    package var payments: [Identifier: [Payment]] = [:]
    /// Balances of the counters to adjust.
    package var balances: [CounterName: Balance] = [:]

    package init() {}
}
