import Domain

/// Names of consecutive counters: products before variants, each in the order of their ids.
package struct CounterNames: Sendable {
    /// The head when they were read.
    package var head: LedgerHead
    package var names: [CounterName]

    package init(head: LedgerHead, names: [CounterName]) {
        self.head = head
        self.names = names
    }
}

/// Counters of the ledger now, and what was recorded last: enough to compute what they were at an earlier seq.
package struct CountersAsOf: Sendable {
    package var head: LedgerHead
    /// The state of each at `head.seq`.
    package var counters: [CounterName: CounterState]
    /// Units added by changes after the requested seq.
    private var later: [CounterName: [(seq: Int64, units: Int64)]]

    package init(
        head: LedgerHead, counters: [CounterName: CounterState], later: [CounterName: [(seq: Int64, units: Int64)]]
    ) {
        self.head = head
        self.counters = counters
        self.later = later
    }

    /// Units recorded for a counter with seqs above `seq` (which must not be below the requested one).
    package func units(of counter: CounterName, after seq: Int64) -> Int64 {
        (later[counter] ?? []).reduce(0) { $0 + ($1.seq > seq ? $1.units : 0) }
    }
}
