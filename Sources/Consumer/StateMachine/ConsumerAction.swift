import Counters
import Ingest
import Domain
import Ledger

/// An action for the executor. Actions are independent of each other; an action's result is returned as an event.
enum ConsumerAction: Sendable {
    /// - Parameter claims: whether to claim all pending entries first.
    case read(claims: Bool)
    /// Ends the blocking read, which delivers the entries that it has.
    case endRead
    /// - Parameter attempt: the number of the attempt, from 0; later attempts wait longer before they start.
    case connect(attempt: Int)
    case checkForLeftovers
    case decode([StreamEntry])
    case decide(DecisionRequest)
    case record(JournalBatch)
    case acknowledge(Acknowledgement)
    /// Reads from the ledger the outcomes that must be announced and are not in memory.
    case readJournal(JournalRange)
    case openEpoch(EpochRequest)
    /// Announces which products a new catalogue has changed.
    case announceCatalogue(Acknowledgement)
    /// Reports the chore as due once its interval has passed.
    case wait(for: Chore)
    /// - Parameter epoch: the open epoch.
    case watch(epoch: Int64)
    /// Runs after a watch that found no problem.
    /// - Parameter isRedisFull: whether Redis refuses writes for lack of memory; `nil` if unknown.
    case upkeep(isRedisFull: Bool?)
    case trim
    case publish([Replays.Due])
    case report(ConsumerReport)
    /// Ends the consumer, because nothing is left to do.
    case finish
    /// Ends the consumer with an error: several epochs were opened in a row, and the same batch still could not be
    /// recorded.
    case giveUp(EpochReason)
}

extension ConsumerAction {
    /// Whether the action takes little processor time, however long it waits. The cost of a read depends on how much it
    /// delivers, which is not known in advance; it counts as short.
    var isShort: Bool {
        switch self {
        case .read, .endRead, .connect, .checkForLeftovers, .record, .wait, .watch, .report, .finish, .giveUp: true
        case .decode(let entries): Self.isLittle(entries, \.size)
        case .decide(let request):
            switch request.entries {
            case .batch(let entries): Self.isLittle(entries, \.size)
            case .poison: false
            }
        case .acknowledge(let acknowledgement):
            acknowledgement.entries.count + (acknowledgement.announcement?.outcomes.count ?? 0)
                + acknowledgement.repeated.count + acknowledgement.changed.count <= 4 * Self.fewEntries
        case .readJournal, .openEpoch, .announceCatalogue, .upkeep, .trim, .publish: false
        }
    }

    private static func isLittle<Entry>(_ entries: [Entry], _ size: (Entry) -> Int) -> Bool {
        entries.count <= fewEntries && entries.reduce(0) { $0 + size($1) } <= fewBytes
    }

    /// An entry takes about 5 µs to decode and to plan, and less than 1 µs to acknowledge.
    private static let fewEntries = 32
    private static let fewBytes = 64 << 10
}

/// A fact that only the state machine knows, for logs and metrics.
enum ConsumerReport: Sendable {
    /// The ledger has committed a batch.
    /// - Parameter seq: the counters' seq after the batch; `nil` if the batch has not changed them.
    case recorded(Tally, seq: Int64?)
    /// An entry is pending that is not in this process's memory.
    case stray(StreamID)
    /// Redis has refused to announce outcomes, with this error.
    case announcingRefused(String)
    /// Redis accepts announcements again.
    case announcingResumed
}

/// Recurring work, which is due whether or not there are messages.
enum Chore: Sendable {
    /// Compares Redis and the ledger with their expected states. Nothing is decided meanwhile, because the gate changes
    /// the counters.
    case watch
    /// Trims the streams, and checks for lost messages.
    case trim
}
