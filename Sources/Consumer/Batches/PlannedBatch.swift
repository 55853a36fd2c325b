import Domain
import Ledger

/// A batch after planning: the commands for the gate, the messages that are recorded already, and those that can never
/// be processed.
struct PlannedBatch: Sendable {
    /// The plan for one entry.
    enum Plan: Sendable {
        /// The entry produced this record (an index into `records`).
        case record(Int)
        /// The entry repeats an earlier entry, which produced this record.
        case replay(ofRecord: Int)
        /// The entry repeats a message that is already in the ledger or in the batch that is being recorded.
        indirect case known(Replay)
    }

    var entries: [ReadEntry] = []
    /// One plan per entry, in the order of the entries.
    var plans: [Plan] = []
    /// The records, in the order of the entries that produced them.
    var records: [BatchRecord<PlannedCommand>] = []
    /// The index in `records` of each command.
    var places: [Command.Key: Int] = [:]
    /// The index in `records` of each dead letter.
    var deadLetters: [EntryIdentity: Int] = [:]
    /// The orders from which the batch's cancellations take units.
    var cancelledOrders: Set<Identifier> = []
    let catalogueVersion: Int64
    /// Set if the batch consists of one poison message with recorded attempts.
    var poison: EntryIdentity?
    /// Numbers of the dead letters whose messages were published again and were read as these entries.
    var replayed: [Int64] = []

    /// The commands that the gate must decide, in order.
    var commands: [PlannedCommand] { records.compactMap(\.command) }
}
