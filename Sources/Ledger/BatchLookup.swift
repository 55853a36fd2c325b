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
