import Domain

/// A ledger that the HTTP server and the monitor read.
package protocol LedgerQueries: OpenLedger {
    /// Returns the state that counters read after this call must have reached. Cheap enough to call once a second.
    func watermark() async throws -> LedgerWatermark

    /// Returns all products and their variants as shops display them, including closed ones, in one snapshot.
    func listing() async throws -> CatalogueListing

    /// Returns the ledger's own state of each of these counters, in the order of `names`, and its head, from one
    /// snapshot. The state is `nil` if the counter does not exist.
    func states(of names: [CounterName]) async throws -> (head: LedgerHead, states: [CounterState?])

    /// Returns the counts that need an operator's attention. Cheap enough to call once a second, however many orders
    /// there are.
    func statistics() async throws -> LedgerStatistics

    /// Returns the state of the ledger's storage.
    func condition() async -> LedgerCondition
}
