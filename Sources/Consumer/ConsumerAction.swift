import Counters
import Ingest
import Domain
import Ledger

/// What the executor must do now. Actions are independent of each other; those with a result return it as an event.
enum ConsumerAction: Sendable {
    /// - Parameter claims: whether everything pending is claimed first.
    case read(claims: Bool)
    /// Ends the blocking read; it delivers what it has.
    case endRead
    /// - Parameter attempt: counted from 0; later ones wait longer before they begin.
    case connect(attempt: Int)
    case checkForLeftovers
    case decode([StreamEntry])
    case decide(DecisionRequest)
    case record(JournalBatch)
    case acknowledge(Acknowledgement)
    /// Reads what must be announced, and is not in memory.
    case readJournal(JournalRange)
    case openEpoch(EpochRequest)
    /// Announces which products a new catalogue has changed.
    case announceCatalogue(Acknowledgement)
    /// Reports the chore as due once its interval has passed.
    case wait(for: Chore)
    /// - Parameter epoch: the open epoch.
    case watch(epoch: Int64)
    /// Follows a watch that found no problem.
    /// - Parameter isRedisFull: nil: unknown.
    case upkeep(isRedisFull: Bool?)
    case trim
    case publish([Replays.Due])
    case report(ConsumerReport)
    /// Nothing is left to do.
    case finish
    /// Several epochs were opened in a row, and the same batch still could not be recorded.
    case giveUp(EpochReason)
}

extension ConsumerAction {
    /// Whether it takes little of a processor's time, however long it waits. Reading takes as much as it delivers, which
    /// nobody knows before.
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

    /// Some 5 µs each to decode and to plan, and less than 1 µs to acknowledge.
    private static let fewEntries = 32
    private static let fewBytes = 64 << 10
}

/// What only the state machine knows, for logs and metrics.
enum ConsumerReport: Sendable {
    /// The ledger has committed a batch.
    /// - Parameter seq: the counters' after it; nil: it has not changed them.
    case recorded(Tally, seq: Int64?)
    /// An entry is pending that this process does not hold.
    case stray(StreamID)
    /// Redis has refused to announce outcomes, with this error.
    case announcingRefused(String)
    /// It does not refuse any more.
    case announcingResumed
}

/// Recurring work, due whether there are messages or not.
enum Chore: Sendable {
    /// Compares Redis and the ledger with what they should be. Deciding waits meanwhile, as the gate changes the
    /// counters.
    case watch
    /// Keeps the streams short, and looks for lost messages.
    case trim
}
