/// The head of the `…:stock` hash: whose counters they are, and in which state. A missing field is nil.
package struct CounterHead: Sendable, Equatable {
    /// Identity of the ledger that they were installed from.
    package var ledger: String?
    package var epoch: Int64?
    package var seq: Int64?
    /// Highest seq that Redis knows to be recorded.
    package var settled: Int64?
    /// Rows the ledger had recorded (orders, cancellations, adjustments, refunds, dead letters).
    package var recorded: Int64?
    package var catalogue: Int64?
    /// The position in the journal up to which everything is announced.
    package var announced: Int64?

    package init(
        ledger: String? = nil, epoch: Int64? = nil, seq: Int64? = nil, settled: Int64? = nil, recorded: Int64? = nil,
        catalogue: Int64? = nil, announced: Int64? = nil
    ) {
        self.ledger = ledger
        self.epoch = epoch
        self.seq = seq
        self.settled = settled
        self.recorded = recorded
        self.catalogue = catalogue
        self.announced = announced
    }

    /// Nothing is installed.
    package var isEmpty: Bool { ledger == nil && epoch == nil && seq == nil }

    /// Why counters must not be installed from a ledger with this head and identity; nil: they may.
    ///
    /// Certain only if the counters were read before the ledger. `lua/install.lua` makes the same checks atomically, and
    /// also refuses its own epoch.
    package func objection(to head: LedgerHead, of identity: String) -> LedgerObjection? {
        if let ledger, ledger != identity { return .otherLedger(ledger) }
        if let epoch, epoch > head.epoch { return .laterEpoch(epoch) }
        return remembersMoreRows(than: head) ? .moreRecorded(settled: settled ?? 0, recorded: recorded ?? 0) : nil
    }

    /// How many rows of the journal of a ledger with this head are not announced yet; nil: Redis does not know.
    package func unannounced(of head: LedgerHead) -> Int64? {
        announced.map { max(0, head.position.subtractingReportingOverflow($0).partialValue) }
    }

    /// Whether more was recorded than a ledger with this head holds.
    package func remembersMoreRows(than head: LedgerHead) -> Bool {
        (settled ?? 0) > head.seq || (recorded ?? 0) > head.messages
    }
}

/// What Redis remembers that a ledger does not hold: it is another ledger, was replaced, or has gone back in time.
package enum LedgerObjection: Sendable, Equatable {
    /// The counters belong to the ledger with this identity.
    case otherLedger(String)
    /// Redis has this epoch.
    case laterEpoch(Int64)
    /// Up to this seq, this many rows had been recorded.
    case moreRecorded(settled: Int64, recorded: Int64)
}
