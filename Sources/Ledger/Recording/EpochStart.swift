import Domain

/// The state that a new epoch starts from, read in the transaction that raised it.
package struct EpochStart: Sendable {
    package var head: LedgerHead
    package var counters: [(name: CounterName, state: CounterState)]
    package var catalogue: CatalogueIndex
    /// The products whose caps, active state or variants have changed since the given catalogue version.
    package var changedProducts: [Identifier]

    package init(
        head: LedgerHead, counters: [(name: CounterName, state: CounterState)], catalogue: CatalogueIndex,
        changedProducts: [Identifier]
    ) {
        self.head = head
        self.counters = counters
        self.catalogue = catalogue
        self.changedProducts = changedProducts
    }
}
