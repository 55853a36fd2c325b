import Domain

/// A snapshot of the ledger's counters.
package struct StockSnapshot: Sendable {
    package var head: LedgerHead
    /// In the catalogue's order, with closed products last.
    package var products: [ProductStock]

    package init(head: LedgerHead, products: [ProductStock]) {
        self.head = head
        self.products = products
    }
}
