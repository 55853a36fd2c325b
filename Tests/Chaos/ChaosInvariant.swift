/// The promises that a shop must keep whatever breaks. The raw value names one in the report.
package enum ChaosInvariant: String, Sendable, CaseIterable {
    /// Everything that was sent is recorded, and can be read.
    case nothingLost = "nothing is lost"
    /// No counter of the ledger is above the highest cap that it ever had.
    case withinCap = "no cap is exceeded"
    /// The ledger's `seq` never goes back.
    case seqRises = "seq never goes back"
    /// Counters and ledger differ only while a fault that touched the counters explains it.
    case noDrift = "no unexplained drift"
    /// An acknowledged entry is in the ledger.
    case acknowledgedIsRecorded = "acknowledged entries are recorded"
    /// Each announcement matches its record.
    case announcedAsRecorded = "announcements match records"
    /// Every record is announced, in the order of the journal.
    case announcedInOrder = "everything is announced in order"
    /// Epochs and catalogue versions never go back, and an epoch has one catalogue.
    case epochsRise = "epochs and catalogues never go back"
    /// Once faults end, every message is processed, and every process recovers, in bounded time.
    case everythingFinishes = "everything finishes"
    /// `ledger check` finds nothing wrong, in the ledger and in its backups.
    case soundLedger = "the ledger is sound"
    /// Memory, keys and streams stay bounded.
    case bounded = "nothing grows without limit"
    /// No customer's data in logs, and none of erased orders in the ledger.
    case privacy = "customers' data stays private"
    /// The journal's positions are 1 … highest without a gap.
    case positionsWithoutGap = "positions have no gap"
    /// A process ends only when it is asked to, and with the status that its documentation gives.
    case exitStatus = "exit status"
    /// An HTTP response is true of the store at its epoch and `seq`.
    case responses = "HTTP responses are true"
    /// No process crashes by itself.
    case noCrash = "crash"
    /// A process that is asked to end does so in time.
    case gracefulEnd = "graceful end"
    /// What is recorded follows the order of the stream.
    case streamOrder = "order of the stream"
    /// The result is that of processing the messages one by one.
    case sequentialResult = "sequential result"
    /// The run's own failure: a fault that did nothing or did not take place.
    case chaos = "chaos"
}
