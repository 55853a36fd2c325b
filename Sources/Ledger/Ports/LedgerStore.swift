import Domain

/// A ledger as the active consumer uses it: it plans, decides and records batches.
package protocol LedgerStore: EpochKeeper {
    /// What is already recorded of a batch's content, and what its commands depend on, at one moment.
    func priorState(for lookup: BatchLookup) async throws -> PriorState

    /// Records a batch in one transaction, as the arbiter of the gate's decisions.
    ///
    /// Each command is decided again, in stream order, by the ledger's own balances and caps: the decision must equal
    /// the gate's. Epoch, catalogue version and seq must be those that the batch was decided with. Otherwise nothing is
    /// recorded, and the answer says why. After an error the outcome may be unknown (a COMMIT that failed): look up the
    /// messages with `priorState`. Throws an error of kind `replaced` if what was committed is lost (`requireInPlace`).
    func record(_ batch: JournalBatch) async throws -> RecordResult

    /// The outcomes of the journal's rows behind one position and up to another, in their order.
    /// - Parameter limit: rows at most.
    func outcomes(after position: Int64, through last: Int64, limit: Int) async throws -> JournalOutcomes

    /// Dead letters that must be published again, oldest first.
    func requestedReplays(limit: Int) async throws -> [RequestedReplay]

    /// One dead letter with its bytes; nil: there is none.
    func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter?

    /// How often an entry has crashed a process that processed it alone.
    func attempts(_ key: EntryIdentity) async throws -> Int

    /// Notes that the last process ended while it processed this entry alone.
    func noteAttempt(_ key: EntryIdentity) async throws

    /// Recounts the balances from what is recorded, and corrects those that differ. If any did, also raises the epoch,
    /// so that commands decided by the wrong figures are decided again.
    /// - Parameter reason: kept with the epoch and the repairs.
    /// - Returns: what was corrected.
    func repairMiscounts(reason: String) async throws -> [Miscount]

    /// Overwrites erased data that is still stored somewhere. The caller must hold the lease.
    /// - Returns: whether no erased data is left. False: a reader still uses an earlier snapshot, or more was erased
    ///   during the call; call again later.
    @discardableResult
    func completeErasure() async throws -> Bool
}
