import Inventory

/// A ledger as the active consumer uses it: it plans, decides and records batches.
package protocol LedgerStore: EpochKeeper {
    /// What is already recorded of a batch's content, and what its commands depend on, at one moment.
    func priorState(for lookup: BatchLookup) async throws -> PriorState

    /// Records a batch in one transaction, as the arbiter of the gate's decisions.
    ///
    /// In the order of the stream, with the ledger's own balances: every decision must be the same as by the ledger's
    /// own caps, and the seqs must continue without a gap. Otherwise nothing is recorded, and the answer says why. After
    /// an error the outcome may be unknown (a COMMIT that failed); looking up the messages resolves that.
    func record(_ batch: RecordBatch) async throws -> RecordAnswer

    /// Dead letters that must be published again, oldest first.
    func replaysWanted(limit: Int) async throws -> [WantedReplay]

    /// One dead letter with its bytes; nil: there is none.
    func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter?

    /// How often an entry has crashed a process that processed it alone.
    func attempts(_ key: EntryKey) async throws -> Int

    /// Notes that the last process ended while it processed this entry alone.
    func noteAttempt(_ key: EntryKey) async throws

    /// Counts the balances again from what is recorded, and corrects what differs. Raises the epoch as well, if
    /// anything did: what was decided by the old figures is decided again.
    /// - Returns: what was corrected.
    func repairMiscounts(reason: String) async throws -> [Miscount]

    /// Overwrites what was erased and is still stored somewhere; for the process that has the lease.
    /// - Returns: whether nothing is left; false: a reader uses an earlier state, or something was erased meanwhile.
    @discardableResult
    func completeErasure() async throws -> Bool
}
