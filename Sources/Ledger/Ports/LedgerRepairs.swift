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
