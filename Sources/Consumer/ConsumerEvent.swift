import Counters
import Intake
import Inventory
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
    case mustWait
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

/// What is to be done now. Each is done on its own; what comes of it is an event.
enum ConsumerAction: Sendable {
    /// - Parameter claims: all that is pending first.
    case read(claims: Bool)
    /// Ends the read that waits; it delivers what it has.
    case endRead
    /// - Parameter attempt: counted from 0; later ones wait longer before they begin.
    case connect(attempt: Int)
    case lookForLeftovers
    case decode([StreamEntry])
    case decide(DecisionRequest)
    case record(RecordBatch)
    case acknowledge(Acknowledgement)
    case openEpoch(EpochRequest)
    /// Tells listeners which products a new catalogue has changed.
    case announceCatalogue(Acknowledgement)
    /// When it is due the next time.
    case wait(for: Chore)
    /// - Parameter epoch: the one that is open.
    case watch(epoch: Int64)
    /// - Parameter isRedisFull: nil: not known.
    case upkeep(isRedisFull: Bool?)
    case trim
    /// - Parameter isQueueEmpty: nothing waits to be decided: what was published before, and has been read, was lost.
    case publish([Replays.Due], isQueueEmpty: Bool)
    case report(ConsumerReport)
    /// Nothing is left to do.
    case finish
    /// Epoch after epoch was opened and the same batch could not be recorded.
    case giveUp(EpochNeeded)
}

/// What only the state machine knows, for logs and metrics.
enum ConsumerReport: Sendable {
    case recorded(DecidedBatch)
    /// An entry is pending that this process does not hold.
    case stray(EntryPosition)
}

/// What is done again and again, whether there are messages or not.
enum Chore: Sendable, CaseIterable {
    /// Compares Redis and the ledger with what they should be. Deciding waits meanwhile, as the gate changes the counters.
    case watch
    /// What follows a watch in which all was well.
    case upkeep
    case trim
}

enum ReadFailure: Sendable {
    /// The stream or its group is gone: Redis has lost data.
    case lostData
    /// The connection has ended, or Redis cannot answer now.
    case interrupted
    /// By a stop, before anything was sent.
    case stopped
}

/// The counters as they were installed.
struct Epoch: Sendable {
    var number: Int64
    /// The counters' seq at its start.
    var seq: Int64
    var catalogue: CatalogueIndex
    /// Rows that the ledger had recorded at its start.
    var records: Int64
    /// The connection over which it was installed: whatever happens to the counters later, happens over another one.
    var connection: Int
    /// Products that a later catalogue than the one of the epoch before has changed.
    var changedProducts: [Identifier] = []

    /// Tells listeners of these products.
    var catalogueChange: Acknowledgement {
        Acknowledgement(
            epoch: number, settled: seq, recorded: records, entries: [], outcomes: [], changed: changedProducts)
    }
}

struct EpochRequest: Sendable {
    var needed: EpochNeeded
    /// Of the epoch before; nil: there was none.
    var catalogueBefore: Int64?
    /// Epochs that came before it with nothing recorded in between: it waits longer the more they are.
    var epochsInARow: Int
}

/// A batch that is to be decided, with the state that it is decided by, which cannot change before that has ended.
struct DecisionRequest: Sendable {
    enum Entries: Sendable {
        case batch([DecodedEntry])
        /// One that may crash the process; it is not decoded yet.
        case poison(StreamEntry)
    }

    var entries: Entries
    var epoch: Epoch
    /// That the counters must have.
    var seq: Int64
    var planning: PlanningContext
}

/// Redis and the ledger at one moment.
struct WatchReport: Sendable {
    /// That was open when the watch began.
    var epoch: Int64
    var ledger: LedgerHead
    /// nil: Redis did not answer.
    var counters: CounterHead?
    var pending: PendingSummary?
    var isRedisFull: Bool?
}
