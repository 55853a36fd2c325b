/// The head of the `…:stock` hash: the ledger that the counters belong to, and their state. A missing field is nil.
package struct CounterHead: Sendable, Equatable {
    /// The identity of the ledger that the counters were installed from.
    package var ledger: String?
    package var epoch: Int64?
    package var seq: Int64?
    /// The highest seq that Redis knows to be recorded.
    package var settled: Int64?
    /// The number of messages that the ledger had recorded (orders, cancellations, adjustments, refunds, dead letters).
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

    /// Whether no counters are installed.
    package var isEmpty: Bool { ledger == nil && epoch == nil && seq == nil }

    /// Returns why counters must not be installed from a ledger with this head and identity, or nil if they may.
    ///
    /// The result is reliable only if the counters were read before the ledger. `lua/install.lua` repeats these checks
    /// atomically, and also refuses to install an epoch that is already installed.
    package func objection(to head: LedgerHead, of identity: String) -> LedgerObjection? {
        if let ledger, ledger != identity { return .otherLedger(ledger) }
        if let epoch, epoch > head.epoch { return .laterEpoch(epoch) }
        return remembersMoreRows(than: head) ? .moreRecorded(settled: settled ?? 0, recorded: recorded ?? 0) : nil
    }

    /// Returns how many journal rows of a ledger with this head are not announced yet, or nil if Redis does not know.
    package func unannounced(of head: LedgerHead) -> Int64? {
        announced.map { max(0, head.position.subtractingReportingOverflow($0).partialValue) }
    }

    /// Returns whether more was recorded than a ledger with this head holds.
    package func remembersMoreRows(than head: LedgerHead) -> Bool {
        (settled ?? 0) > head.seq || (recorded ?? 0) > head.messages
    }
}
