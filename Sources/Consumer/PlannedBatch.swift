import Domain
import Ledger

/// A batch after planning: what the gate must decide, what is recorded already, what can never be processed.
struct PlannedBatch: Sendable {
    /// What happens to one entry.
    enum Plan: Sendable {
        /// It produced this record (an index into `records`).
        case record(Int)
        /// It repeats an earlier entry, which produced this record.
        case replay(ofRecord: Int)
        /// It repeats a message that the ledger, or the batch that is being recorded, has already.
        indirect case known(Replay)
    }

    var entries: [ReadEntry] = []
    /// One per entry, in their order.
    var plans: [Plan] = []
    /// In the order of the entries that produced them.
    var records: [BatchRecord<PlannedCommand>] = []
    /// The index in `records` of each command.
    var places: [Command.Key: Int] = [:]
    /// The index in `records` of each dead letter.
    var deadLetters: [EntryIdentity: Int] = [:]
    /// Orders that its cancellations take units from.
    var cancelledOrders: Set<Identifier> = []
    let catalogueVersion: Int64
    /// Set when the batch is one poison message with attempts on record.
    var poison: EntryIdentity?
    /// Numbers of the dead letters whose messages were published again and came back as these entries.
    var replayed: [Int64] = []

    /// What the gate must decide, in order.
    var commands: [PlannedCommand] { records.compactMap(\.command) }
}
