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

/// A ledger that can repair drift of the counters.
package protocol LedgerRepairs: LedgerAudit, EpochKeeper {
    /// Requests a new epoch, which installs the counters again, and records the repairs. An active consumer notices in
    /// its next transaction, or within a second.
    ///
    /// The counters are installed from the ledger's balances, so wrong balances are corrected in the same transaction.
    /// - Parameters:
    ///   - repairs: the repairs of the counters, from a comparison with the ledger's current balances.
    ///   - epoch: the epoch in which they were compared; `nil` accepts any.
    ///   - reason: recorded with the epoch and the repairs.
    ///   - by: the operator who requests it, recorded in an `AuditEntry`; `nil` if the process repairs on its own
    ///     initiative.
    /// - Returns: the repairs and the requested epoch (the installed one is higher), or `nil` if the ledger has since
    ///   moved to another epoch, in which nothing has been compared.
    func raiseEpoch(
        toRepair repairs: [Repair], foundIn epoch: Int64?, reason: String, by: String?
    ) async throws -> (repairs: [Repair], epoch: Int64)?
}
