import Domain

/// A ledger as HTTP and the monitor read it.
package protocol LedgerQueries: OpenLedger {
    /// What counters read after this must have reached. Cheap enough to call once a second.
    func watermark() async throws -> LedgerWatermark

    /// Every product and its variants as shops show them, closed ones too, at one moment.
    func listing() async throws -> CatalogueListing

    /// The ledger's own figures of some counters and the head, from one snapshot: one state per name, in the order of
    /// `names`; nil: there is no such counter.
    func states(of names: [CounterName]) async throws -> (head: LedgerHead, states: [CounterState?])

    /// What needs an operator's attention. Cheap enough to call once a second, however many orders there are.
    func statistics() async throws -> LedgerStatistics

    /// The state of the ledger's storage.
    func condition() async -> LedgerCondition
}
