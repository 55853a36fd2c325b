import Domain

/// A ledger that the commands can change, even while a consumer is active.
package protocol LedgerAdmin: LedgerQueries, LedgerRepairs, LedgerRecords {
    /// Syncs the catalogue into the ledger: caps and descriptions, but never sold quantities.
    ///
    /// SKUs that are missing from the file are closed, not deleted. If anything changes, the catalogue's version is
    /// raised, so that the active consumer notices.
    /// - Parameters:
    ///   - by: the operator who syncs it, recorded with the changes.
    ///   - progress: called periodically with the number of products done, on a thread of the ledger.
    /// - Throws: `MovedVariant` with every variant that would move to another product; nothing is written in that case.
    func sync(
        _ catalogue: Catalogue, by: String?, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges

    /// Erases the customer data of orders, and the bytes of dead letters with the same ids.
    ///
    /// Id, digest, items, amounts and status are kept, so that counts remain correct and a replayed message is still
    /// recognised. A digest of the payment intent is kept as well, so that a repeated message about the same payment is
    /// not taken for a second payment. Ids that only dead letters have are accepted. Refunds that are due keep the data
    /// that they need. If any id is unknown, nothing is erased.
    /// - Parameters:
    ///   - ids: duplicates count once.
    ///   - by: the operator who requests it, recorded in an `AuditEntry`. The same applies to the methods below.
    func erase(_ ids: [Identifier], by: String?) async throws -> EraseResult

    /// Requests that the consumer publish the chosen open dead letters again: all of them or none.
    func replay(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult

    /// Removes the bytes of the chosen dead letters: of all of them or none. Their rows are kept, so that an entry that
    /// is read again is recognised. The request is refused if one of them must be published again, which needs its
    /// bytes.
    func discard(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult

    /// Records in the audit that an operator does this. Actions that change the ledger are recorded together with the
    /// change instead.
    func note(_ action: AuditEntry.Action, of subject: String, by: String?) async throws

    /// Sets the epoch to at least `epoch`, so that the next one is above every epoch that Redis has seen.
    ///
    /// An epoch above `LedgerHead.highestEpoch` or below 0 cannot result from counting: it is a manual edit, and is
    /// ignored, because no epoch can be above it.
    func raiseEpoch(above epoch: Int64, by: String?) async throws

    /// Same as `LedgerStore.completeErasure`. The caller must hold the lease, so that no consumer is active.
    @discardableResult
    func completeErasure() async throws -> Bool
}

extension LedgerAdmin {
    package func erase(_ ids: [Identifier]) async throws -> EraseResult { try await erase(ids, by: nil) }

    package func replay(_ choice: DeadLetterChoice) async throws -> ResolveResult { try await replay(choice, by: nil) }

    package func discard(_ choice: DeadLetterChoice) async throws -> ResolveResult {
        try await discard(choice, by: nil)
    }

    package func sync(_ catalogue: Catalogue, by: String? = nil) async throws -> CatalogueChanges {
        try await sync(catalogue, by: by, progress: nil)
    }
}
