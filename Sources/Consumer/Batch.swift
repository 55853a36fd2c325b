import Counters
import Intake
import Inventory
import Ledger

/// A stream entry after decoding.
struct DecodedEntry: Sendable {
    var entry: StreamEntry
    var content: Content

    enum Content: Sendable {
        case checkout(Checkout, demand: [Demand], digest: [UInt8])
        case rejected(Rejection)
    }

    /// What counts against the bound on a batch's lines.
    var lines: Int {
        if case .checkout(let checkout, _, _) = content { return checkout.items.count }
        return 1
    }
}

/// A batch whose entries are told apart: what the gate must decide, what is known already, what can never be processed.
struct PreparedBatch: Sendable {
    /// What becomes of one entry.
    enum Plan: Sendable {
        /// The next of the batch's operations decides it.
        case decide(Checkout, demand: [Demand], digest: [UInt8])
        /// The same order stands earlier in this batch, as this operation.
        case replayInBatch(operation: Int)
        /// The ledger, or the batch before this one, has it; what was announced is announced again.
        case known(Outcome)
        case deadLetter(DeadLetterRecord)
    }

    var entries: [StreamEntry]
    /// One an entry, in their order.
    var plans: [Plan]
    var operations: [Operation]
    var catalogueVersion: Int64
    /// Set when the batch is one suspect entry, processed alone.
    var suspect: EntryKey?
}

/// A batch that the gate has decided.
struct DecidedBatch: Sendable {
    /// Numbers batches within this process, for the log and to tell a late event from a current one.
    var number: Int
    var entries: [StreamEntry]
    var record: RecordBatch
    var outcomes: [Outcome]
    var changed: [Identifier]
    /// Its orders, for the batch that follows while this one is being recorded.
    var orders: [Identifier: KnownOrder]
    var seqAfter: Int64
    /// Orders and dead letters the ledger has recorded with this batch; known once it is recorded.
    var recorded: Int64 = 0
}
