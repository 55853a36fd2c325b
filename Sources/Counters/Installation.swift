import Domain

/// Everything that a new epoch writes to Redis.
package struct Installation: Sendable {
    package var epoch: Int64
    /// The highest seq that the ledger has recorded; the counters continue from it.
    package var seq: Int64
    /// The position of the last row of the ledger's journal.
    package var position: Int64
    package var catalogueVersion: Int64
    package var counters: [(name: CounterName, state: CounterState)]

    package init(
        epoch: Int64, seq: Int64, position: Int64, catalogueVersion: Int64,
        counters: [(name: CounterName, state: CounterState)]
    ) {
        self.epoch = epoch
        self.seq = seq
        self.position = position
        self.catalogueVersion = catalogueVersion
        self.counters = counters
    }

    /// The number of messages that the ledger has recorded.
    package var recorded: Int64 { LedgerHead.messages(upTo: position, catalogueVersion: catalogueVersion) }
}
