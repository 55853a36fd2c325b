import Inventory

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
    /// What the orders to cancel still own, each SKU once; missing for an order that does not exist.
    package var owned: [Identifier: [SKUUnits]] = [:]
    /// Balances of the counters to adjust.
    package var balances: [CounterName: Balance] = [:]

    package init() {}
}
