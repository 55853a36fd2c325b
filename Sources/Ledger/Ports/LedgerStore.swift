import Domain

/// A ledger in which the active consumer records batches, and from which it plans and decides them.
package protocol LedgerStore: EpochKeeper {
    /// Returns the part of a batch that is already recorded, and the state that its commands depend on, in one
    /// snapshot.
    func priorState(for lookup: BatchLookup) async throws -> PriorState

    /// Records a batch in one transaction, as the arbiter of the gate's decisions.
    ///
    /// Each command is decided again, in stream order, from the ledger's own balances and caps; the decision must equal
    /// the gate's. Epoch, catalogue version and seq must be those that the batch was decided with. Otherwise nothing is
    /// recorded, and the result states why. After an error (such as a failed COMMIT), it may be unknown whether the
    /// batch was recorded: look up the messages with `priorState`. Throws an error of kind `replaced` if the committed
    /// data is lost (`requireInPlace`).
    func record(_ batch: JournalBatch) async throws -> RecordResult

    /// Returns the outcomes of the journal's rows after one position and up to another, ordered by position.
    /// - Parameter limit: the maximum number of rows.
    func outcomes(after position: Int64, through last: Int64, limit: Int) async throws -> JournalOutcomes

    /// Returns the dead letters that must be published again, oldest first.
    func requestedReplays(limit: Int) async throws -> [RequestedReplay]

    /// Returns one dead letter with its bytes, or `nil` if there is none.
    func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter?

    /// Returns how often an entry has crashed a process while it was processed alone.
    func attempts(_ key: EntryIdentity) async throws -> Int

    /// Records that the previous process ended while it processed this entry alone.
    func noteAttempt(_ key: EntryIdentity) async throws

    /// Recomputes the balances from the recorded changes, and corrects those that differ. If any did, it also raises
    /// the epoch, so that commands decided from wrong balances are decided again.
    /// - Parameter reason: recorded with the epoch and the repairs.
    /// - Returns: the corrected balances.
    func repairMiscounts(reason: String) async throws -> [Miscount]

    /// Overwrites erased data that is still stored somewhere. The caller must hold the lease.
    /// - Returns: whether no erased data is left. If `false`, a reader still uses an earlier snapshot, or more data was
    ///   erased during the call; call this again later.
    @discardableResult
    func completeErasure() async throws -> Bool
}
