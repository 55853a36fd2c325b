import Counters
import Intake
import Ledger

/// What has happened; `ConsumerStateMachine` says what follows.
enum ConsumerEvent: Sendable {
    case delivered(Delivery)
    case readFailed(ReadFailure)
    /// The reader has connected after reading had failed; with the number of the connection that decides.
    case connected(decidingConnection: Int)
    /// With nothing in memory: what is pending, and which dead letters are wanted again (asked only until idle).
    case leftovers(pending: Int64, wanted: [WantedReplay])
    case decoded([ReadEntry])
    case decided(DecidedBatch)
    /// The first entry depends on the batch that is being recorded.
    case blocked
    /// Deciding has ended without a decision.
    case undecided(EpochNeeded)
    case recorded(RecordAnswer)
    /// With the epoch in whose name it was sent.
    case acknowledged(epoch: Int64, AcknowledgeAnswer)
    case epochOpened(Epoch)
    case due(Chore)
    case watched(WatchReport)
    /// With the dead letters that are wanted again.
    case upkept(wanted: [WantedReplay])
    case trimmed
    case published(PublishedReplays)
    case stopRequested
}

/// Why a read, or connecting, has brought nothing.
enum ReadFailure: Sendable {
    /// The stream or its group is gone: Redis has lost data.
    case lostData
    /// The connection has ended, or Redis cannot answer now.
    case interrupted
    /// By a stop, or because the consumer ends.
    case stopped
}

/// Redis and the ledger at one moment.
struct WatchReport: Sendable {
    /// The epoch that was open when the watch began.
    var epoch: Int64
    var ledger: LedgerHead
    /// nil: Redis did not answer.
    var counters: CounterHead?
    var pending: PendingSummary?
    var isRedisFull: Bool?
}
