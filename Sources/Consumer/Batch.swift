import Counters
import Intake
import Inventory
import Ledger

/// A stream entry after decoding. All that is worked out of a message alone is worked out here: later stages only see
/// what was valid. A class, as it is handed on from stage to stage.
final class DecodedEntry: Sendable {
    let entry: StreamEntry
    let content: Content
    /// Digest of a message's content; empty for what was rejected.
    let digest: [UInt8]
    /// Bytes of the entry's names and values.
    let size: Int

    init(entry: StreamEntry, content: Content, digest: [UInt8]) {
        self.entry = entry
        self.content = content
        self.digest = digest
        size = entry.size
    }

    enum Content: Sendable {
        case order(Order)
        case cancellation(Cancellation)
        case adjustment(Adjustment)
        case rejected(InvalidMessage)
    }

    /// nil for what was rejected.
    var key: MessageKey? {
        switch content {
        case .order(let order): .order(order.id)
        case .cancellation(let cancellation): .cancellation(cancellation.cancellationID)
        case .adjustment(let adjustment): .adjustment(adjustment.adjustmentID)
        case .rejected: nil
        }
    }

    /// Those of a message that was decoded; what was rejected has to be asked in another way (`MessageDecoder`).
    var ids: MessageIDs {
        switch content {
        case .order(let order): MessageIDs(order: order.id)
        case .cancellation(let cancellation):
            MessageIDs(order: cancellation.orderID, cancellation: cancellation.cancellationID)
        case .adjustment(let adjustment): MessageIDs(adjustment: adjustment.adjustmentID)
        case .rejected: MessageIDs()
        }
    }

    /// Whether what it does hangs on what was recorded before it.
    var dependsOnEarlier: Bool {
        switch content {
        case .cancellation, .adjustment: true
        case .order, .rejected: false
        }
    }

    /// What counts against the bound on a batch's lines.
    var lines: Int {
        switch content {
        case .order(let order): order.checkout.lines.count
        case .cancellation(let cancellation): cancellation.items?.count ?? 1
        case .adjustment, .rejected: 1
        }
    }
}

/// A message that an operation of the gate decides.
enum DecidableMessage: Sendable {
    case order(Order)
    /// With what it takes from the order, and what of it goes back to the counters.
    case cancellation(Cancellation, releases: [Release], givenBack: [SKUUnits])
    case adjustment(Adjustment)
}

/// A batch whose entries are told apart: what the gate must decide, what is known already, what can never be processed.
struct PreparedBatch: Sendable {
    /// What becomes of one entry.
    enum Plan: Sendable {
        /// The next of the batch's operations decides it.
        case decide(DecidableMessage, digest: [UInt8])
        /// The same message stands earlier in this batch, as this operation.
        case replayInBatch(operation: Int)
        /// The ledger, or the batch before this one, has it; what was announced is announced again.
        case known(Outcome)
        case deadLetter(DeadLetterRecord)
    }

    var entries: [ReadEntry] = []
    /// One an entry, in their order.
    var plans: [Plan] = []
    var operations: [Operation] = []
    /// What the operations are for.
    var messages: [MessageKey: BatchMessage] = [:]
    /// Orders from which its cancellations take.
    var cancelledOrders: Set<Identifier> = []
    var catalogueVersion: Int64
    /// Set when the batch is one suspect entry with attempts on record.
    var suspect: EntryKey?
}

/// A message of a batch, by the operation that decides it.
struct BatchMessage: Sendable {
    /// Counted from 0.
    var operation: Int
    var digest: [UInt8]
}

/// A batch that the gate has decided.
struct DecidedBatch: Sendable {
    /// Numbers batches within this process, for the log and to tell a late event from a current one.
    var number: Int
    var entries: [ReadEntry]
    var record: RecordBatch
    var outcomes: [Outcome] = []
    /// What became of the entries.
    var tally = Tally()
    /// Products whose figures changed.
    var changed: [Identifier] = []
    /// For the batch that follows while this one is being recorded.
    var inFlight = InFlight()
    var seqAfter: Int64

    /// What is left of it once the ledger has it: what Redis is to be told.
    /// - Parameter records: rows the ledger has recorded with this batch (`LedgerHead.records`).
    func settlement(records: Int64) -> Settlement {
        Settlement(
            epoch: record.epoch, settled: seqAfter, recorded: records, entries: entries.map(\.entry.id),
            outcomes: outcomes, changed: changed)
    }

    /// What became of the next of the entries, which was not known before.
    mutating func add(_ outcome: Outcome) {
        tally.count(outcome)
        outcomes.append(outcome)
    }
}

/// How many messages became what.
struct Tally: Sendable {
    var accepted = 0
    /// By reason.
    var refused: [String: Int] = [:]
    /// By reason, which is mostly none.
    var cancelled: [String: Int] = [:]
    var adjusted = 0
    /// By reason.
    var deadLetters: [String: Int] = [:]
    /// Known already: they changed nothing.
    var replays = 0

    mutating func count(_ outcome: Outcome) {
        switch outcome.kind {
        case .accepted: accepted += 1
        case .refused: refused[outcome.reason, default: 0] += 1
        case .cancelled: cancelled[outcome.reason, default: 0] += 1
        case .adjusted: adjusted += 1
        case .deadLetter: deadLetters[outcome.reason, default: 0] += 1
        }
    }
}

/// What a batch that is being recorded brings, as far as the next one must know.
struct InFlight: Sendable {
    var messages: [MessageKey: BatchMessage] = [:]
    /// Those of the batch.
    var outcomes: [Outcome] = []
    /// Which of the outcomes each operation has.
    var places: [Int] = []
    /// Orders from which its cancellations take.
    var cancelledOrders: Set<Identifier> = []
    /// Whether there is such a batch at all.
    var isUnderWay = false

    func message(_ key: MessageKey) -> KnownMessage? {
        messages[key].map { KnownMessage(digest: $0.digest, outcome: outcomes[places[$0.operation]]) }
    }

    /// Whether what an order owns is known only when the batch is recorded.
    func changes(_ order: Identifier) -> Bool {
        messages[.order(order)] != nil || cancelledOrders.contains(order)
    }
}
