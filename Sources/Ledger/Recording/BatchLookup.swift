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
