import Domain

/// The ledger's current counters and their latest changes, from which their state at an earlier seq can be computed.
package struct CountersAsOf: Sendable {
    package var head: LedgerHead
    /// The state of each counter at `head.seq`.
    package var counters: [CounterName: CounterState]
    /// The units added by each change after the requested seq.
    private var later: [CounterName: [(seq: Int64, units: Int64)]]

    package init(
        head: LedgerHead, counters: [CounterName: CounterState], later: [CounterName: [(seq: Int64, units: Int64)]]
    ) {
        self.head = head
        self.counters = counters
        self.later = later
    }

    /// Returns the units that were recorded for a counter after `seq`, which must not be below the requested seq.
    package func units(of counter: CounterName, after seq: Int64) -> Int64 {
        (later[counter] ?? []).reduce(0) { $0 + ($1.seq > seq ? $1.units : 0) }
    }
}
