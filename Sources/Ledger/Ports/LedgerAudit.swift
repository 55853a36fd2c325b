import Domain

/// A ledger as the reconciler compares it with the counters.
package protocol LedgerAudit: OpenLedger {
    /// The names of the counters after `last` (nil: from the first one), at most `limit`: products before variants,
    /// each in the order of their ids.
    func counterNames(after last: CounterName?, limit: Int) async throws -> CounterNames

    /// These counters, and what was recorded for them after `seq`, at one moment.
    /// - Parameter names: consecutive, as `counterNames` returns them.
    func counters(_ names: [CounterName], withChangesAfter seq: Int64) async throws -> CountersAsOf

    /// Those of the counters that exist.
    func known(_ names: [CounterName]) async throws -> Set<CounterName>

    /// Changes of a counter, latest first, that have a seq above `lowest` and up to `highest`.
    func changes(of counter: CounterName, above lowest: Int64, upTo highest: Int64) async throws -> [RecordedChange]

    /// Counts sold and adjusted quantities again from what is recorded, without changing anything.
    func recount() async throws -> [Miscount]
}

/// A ledger from which drift of the counters is repaired.
package protocol LedgerRepairs: LedgerAudit, EpochKeeper {
    /// Requests a new epoch, which installs the counters again, and records what it repairs. An active consumer notices
    /// in its next transaction, or within a second.
    ///
    /// The counters are installed from the ledger's balances, so wrong balances are corrected in the same transaction.
    /// - Parameters:
    ///   - repairs: those of the counters, from a comparison with the ledger as it is.
    ///   - epoch: the epoch in which they were compared; nil: any.
    ///   - reason: kept with the epoch and the repairs.
    ///   - by: who asks for it, kept as an `AuditEntry`; nil: nobody does, it is a chore of the process.
    /// - Returns: what is repaired, and the requested epoch (the installed one is higher); nil if the ledger is at
    ///   another epoch by now, in which nothing has been compared.
    func raiseEpoch(
        toRepair repairs: [Repair], foundIn epoch: Int64?, reason: String, by: String?
    ) async throws -> (repairs: [Repair], epoch: Int64)?
}
