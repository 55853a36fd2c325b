import Inventory

/// What the ledger is asked before a batch is decided.
package struct BatchLookup: Sendable, Equatable {
    /// Of its commands.
    package var keys: [Command.Key]
    /// Of its entries: some may be dead letters already.
    package var entryIDs: [String]
    /// Orders that are to be cancelled.
    package var cancelledOrders: [Identifier]
    /// Counters that are to be adjusted.
    package var adjustedCounters: [CounterName]

    package init(
        keys: [Command.Key] = [], entryIDs: [String] = [], cancelledOrders: [Identifier] = [],
        adjustedCounters: [CounterName] = []
    ) {
        self.keys = keys
        self.entryIDs = entryIDs
        self.cancelledOrders = cancelledOrders
        self.adjustedCounters = adjustedCounters
    }
}

/// A command that is recorded, as far as a replay of it needs it.
package struct PriorDecision: Sendable, Equatable {
    package var digest: [UInt8]
    /// What is announced (again) for it.
    package var outcome: Outcome

    package init(digest: [UInt8], outcome: Outcome) {
        self.digest = digest
        self.outcome = outcome
    }
}

/// What the ledger has recorded of a batch already, and what the batch's commands depend on.
package struct PriorState: Sendable {
    package var decisions: [Command.Key: PriorDecision] = [:]
    /// Dead letters under the entry ids that were asked for, with what is announced (again) for them.
    package var deadLetters: [EntryKey: Outcome] = [:]
    /// What the orders that are to be cancelled still own, each SKU once; none for an order that is not there.
    package var owned: [Identifier: [SKUUnits]] = [:]
    /// Of the counters that are to be adjusted.
    package var balances: [CounterName: Balance] = [:]

    package init() {}
}
