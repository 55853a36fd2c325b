import Domain

/// The names of consecutive counters: products before variants, each ordered by id.
package struct CounterNames: Sendable {
    /// The ledger's head when the names were read.
    package var head: LedgerHead
    package var names: [CounterName]

    package init(head: LedgerHead, names: [CounterName]) {
        self.head = head
        self.names = names
    }
}
