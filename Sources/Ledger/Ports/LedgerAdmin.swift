import Domain

/// A ledger as the commands change it, also beside an active consumer.
package protocol LedgerAdmin: LedgerQueries, LedgerRepairs, LedgerRecords {
    /// Brings the catalogue into the ledger: caps and descriptions, never sold quantities.
    ///
    /// What the file lacks is closed, not deleted. If anything changed, the catalogue's version is raised, so that the
    /// active consumer notices.
    /// - Parameters:
    ///   - by: who brings it in, kept with the changes.
    ///   - progress: called periodically with the number of products done, on a thread of the ledger.
    /// - Throws: `VariantMoved` with every variant that would move to another product; nothing is written then.
    func sync(
        _ catalogue: Catalogue, by: String?, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges

    /// Removes what the ledger holds about the customers of orders, and the bytes of dead letters with their ids.
    ///
    /// Id, digest, items, amounts and status stay: counts remain correct, and a replayed message is still recognised. A
    /// digest of the payment intent stays, too: the same payment is not taken for a second one when it comes again. An
    /// id that only dead letters have is accepted, too. Refunds that are due keep what they need. If one id is unknown,
    /// nothing is erased.
    /// - Parameters:
    ///   - ids: duplicates count once.
    ///   - by: who asks for it: kept (`AuditEntry`), as for all that follows.
    func erase(_ ids: [Identifier], by: String?) async throws -> EraseResult

    /// Makes the consumer publish open dead letters again, all of the choice or none.
    func replay(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult

    /// Removes the bytes of dead letters, all of the choice or none. Their rows stay, so that an entry that is read
    /// again is recognised. The request is refused if one of them must be published again, which needs its bytes.
    func discard(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult

    /// Keeps in the audit that somebody does this; what changes the ledger is kept with the change.
    func note(_ action: AuditEntry.Action, of subject: String, by: String?) async throws

    /// Sets the epoch to at least `epoch`, so that the next one is above every epoch that Redis has seen.
    ///
    /// An epoch above `LedgerHead.highestEpoch`, or below 0, cannot be the result of counting: it was written manually,
    /// and is ignored, as no epoch can be above it.
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
