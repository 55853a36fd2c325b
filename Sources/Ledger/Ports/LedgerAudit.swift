import Domain

/// A ledger that the reconciler compares with the counters.
package protocol LedgerAudit: OpenLedger {
    /// Returns the names of at most `limit` counters after `last`, or from the start if it is `nil`: products before
    /// variants, each ordered by id.
    func counterNames(after last: CounterName?, limit: Int) async throws -> CounterNames

    /// Returns these counters and their changes recorded after `seq`, in one snapshot.
    /// - Parameter names: consecutive names, as returned by `counterNames`.
    func counters(_ names: [CounterName], withChangesAfter seq: Int64) async throws -> CountersAsOf

    /// Returns the subset of the given counters that exist.
    func known(_ names: [CounterName]) async throws -> Set<CounterName>

    /// Returns the changes of a counter with a seq above `lowest` and up to `highest`, latest first.
    func changes(of counter: CounterName, above lowest: Int64, upTo highest: Int64) async throws -> [RecordedChange]

    /// Recomputes the sold and adjusted quantities from the recorded changes, without changing anything.
    func recount() async throws -> [Miscount]
}
