import Inventory

/// What the ledger is asked before a batch is decided.
package struct BatchLookup: Sendable, Equatable {
    /// The keys of its commands.
    package var keys: [Command.Key]
    /// The ids of its entries: some may be dead letters already.
    package var entryIDs: [String]
    /// Orders that its commands are about.
    package var orders: [Identifier]
    /// Counters to adjust.
    package var adjustedCounters: [CounterName]

    package init(
        keys: [Command.Key] = [], entryIDs: [String] = [], orders: [Identifier] = [],
        adjustedCounters: [CounterName] = []
    ) {
        self.keys = keys
        self.entryIDs = entryIDs
        self.orders = orders
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
    package var deadLetters: [EntryKey: RecordedOutcome] = [:]
    /// The orders that its commands are about; missing: neither an order nor a dead letter has that id.
    package var orders: [Identifier: PriorOrder] = [:]
    /// Balances of the counters to adjust.
    package var balances: [CounterName: Balance] = [:]

    package init() {}
}

/// What the ledger has under the id of an order.
package struct PriorOrder: Sendable, Equatable {
    /// What the order still owns, each SKU once; nil: only dead letters have its id.
    package var owned: [SKUUnits]?
    /// What was paid under this id, according to the order and to what is due; without amounts.
    package var payments: [Payment]

    package init(owned: [SKUUnits]?, payments: [Payment] = []) {
        self.owned = owned
        self.payments = payments
    }
}
