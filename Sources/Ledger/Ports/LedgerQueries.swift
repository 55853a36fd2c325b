import Inventory

/// A ledger as HTTP and the monitor read it.
package protocol LedgerQueries: OpenLedger {
    /// What counters read after this must have reached. Cheap enough to call once a second.
    func watermark() async throws -> LedgerWatermark

    /// Every product and its variants as shops show them, closed ones too, at one moment.
    func listing() async throws -> CatalogueListing

    /// The ledger's own figures of some counters, at one moment: nil for a counter it does not have.
    func states(of names: [CounterName]) async throws -> (head: LedgerHead, states: [CounterState?])

    /// What needs an operator's attention. Cheap enough to call once a second, however many orders there are.
    func statistics() async throws -> LedgerStatistics

    /// The state of what the ledger is stored in.
    func condition() async -> LedgerCondition
}
