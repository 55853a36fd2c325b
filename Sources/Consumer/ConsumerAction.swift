import Counters
import Intake
import Inventory
import Ledger

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
    /// Reports the chore as due once its interval has passed.
    case wait(for: Chore)
    /// - Parameter epoch: the one that is open.
    case watch(epoch: Int64)
    /// What follows a watch in which all was well.
    /// - Parameter isRedisFull: nil: not known.
    case upkeep(isRedisFull: Bool?)
    case trim
    case publish([Replays.Due])
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

/// What is due again and again, whether there are messages or not.
enum Chore: Sendable {
    /// Compares Redis and the ledger with what they should be. Deciding waits meanwhile, as the gate changes the
    /// counters.
    case watch
    /// Keeps the streams short, and looks for lost messages.
    case trim
}
