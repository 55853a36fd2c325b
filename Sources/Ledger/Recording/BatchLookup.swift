import Inventory

/// What the ledger is asked before a batch is decided.
package struct BatchLookup: Sendable, Equatable {
    /// The keys of its commands.
    package var keys: [Command.Key]
    /// The ids of its entries: some may be dead letters already.
    package var entryIDs: [String]
    /// Orders to cancel.
    package var cancelledOrders: [Identifier]
    /// Counters to adjust.
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
