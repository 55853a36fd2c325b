import Counters
import Ingest
import Domain
import Ledger

/// An event for `ConsumerStateMachine`, which decides the actions that follow.
enum ConsumerEvent: Sendable {
    case delivered(Delivery)
    case readFailed(ReadFailure)
    /// The reader has reconnected after a failed read. Carries the number of the deciding connection.
    case connected(decidingConnection: Int)
    /// The result of a check with empty memory: how many entries are pending, and which dead letters must be published
    /// again (read only with `untilIdle`).
    case leftovers(pending: Int64, wanted: [RequestedReplay])
    case decoded([ReadEntry])
    case decided(DecidedBatch)
    /// The first entry depends on the batch that is being recorded.
    case blocked
    /// Deciding has ended without a decision.
    case undecided(EpochReason)
    case recorded(RecordResult)
    /// Carries the epoch that the acknowledgement named.
    case acknowledged(epoch: Int64, AcknowledgeResult)
    case journalRead(JournalOutcomes, of: JournalRange)
    case epochOpened(Epoch)
    case due(Chore)
    case watched(WatchReport)
    /// Carries the dead letters that must be published again.
    case upkept(wanted: [RequestedReplay])
    case trimmed
    case published(PublishedReplays)
    case stopRequested
}

/// Why a read or a connection attempt failed.
enum ReadFailure: Sendable {
    /// The stream or its group is missing: Redis has lost data.
    case lostData
    /// The connection has closed, or Redis is temporarily unable to reply.
    case interrupted
    /// A stop was requested, or the consumer is ending.
    case stopped
}

/// A snapshot of Redis and the ledger.
struct WatchReport: Sendable {
    /// The epoch that was open when the watch began.
    var epoch: Int64
    var ledger: LedgerHead
    /// `nil` if Redis did not reply.
    var counters: CounterHead?
    var pending: PendingSummary?
    var isRedisFull: Bool?
}
