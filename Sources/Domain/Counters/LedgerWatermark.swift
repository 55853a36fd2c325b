/// The state of the ledger when it was last read. Counters that are read later and are below it are behind the ledger.
///
/// In normal operation counters are never behind. Within an epoch, the gate raises their seq before the ledger records.
/// A new epoch is raised in the ledger first and then installed, and nothing is recorded in between. So for counters of
/// the ledger's epoch or an earlier one, a seq below one that the ledger had *before they were read* means that Redis
/// has lost changes. Two states look similar and are correct:
///
/// - A lower epoch: the new one is being installed. If that takes longer than `installTime`, no process is installing
///   it.
/// - A higher epoch with a lower seq: installed since the ledger was read, perhaps from a backup that was restored.
package struct LedgerWatermark: Sendable, Equatable {
    /// The epoch of the ledger's head.
    package var epoch: Int64
    /// The seq of the ledger's head: the highest one recorded.
    package var seq: Int64
    /// The highest epoch that the ledger has had for longer than `installTime`; 0 if there is none.
    package var dueEpoch: Int64

    /// The time an epoch may take from being raised in the ledger to being installed in Redis.
    package static let installTime = Duration.seconds(5)

    package init(epoch: Int64, seq: Int64, dueEpoch: Int64) {
        self.epoch = epoch
        self.seq = seq
        self.dueEpoch = dueEpoch
    }

    /// Returns whether counters with this state, read after the ledger, lack something that the ledger has.
    package func isAbove(epoch: Int64, seq: Int64) -> Bool {
        epoch < dueEpoch || epoch <= self.epoch && seq < self.seq
    }
}
