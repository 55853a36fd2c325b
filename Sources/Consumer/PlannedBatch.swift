import Inventory
import Ledger

/// A batch whose entries are sorted out: what the gate must decide, what is recorded already, what can never be
/// processed.
struct PlannedBatch: Sendable {
    /// What becomes of one entry.
    enum Plan: Sendable {
        /// It produced this record (an index into `records`).
        case record(Int)
        /// It says the same as an earlier entry, which produced this record.
        case replay(ofRecord: Int)
        /// The ledger, or the batch before this one, has it; what was announced is announced again.
        case known(Outcome)
    }

    var entries: [ReadEntry] = []
    /// One an entry, in their order.
    var plans: [Plan] = []
    /// In the order of the entries that brought them.
    var records: [BatchRecord<PlannedCommand>] = []
    /// Which record each of its commands is.
    var places: [Command.Key: Int] = [:]
    /// Orders from which its cancellations take.
    var cancelledOrders: Set<Identifier> = []
    let catalogueVersion: Int64
    /// Set when the batch is one poison message with attempts on record.
    var poison: EntryKey?
    /// Dead letters whose messages were published again, and came back with these entries, by their numbers.
    var replayed: [Int64] = []

    /// What the gate must decide, in order.
    var commands: [PlannedCommand] { records.compactMap(\.command) }
}
