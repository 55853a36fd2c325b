import Inventory

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
