import Domain
import Ledger

/// The parts of the batch being recorded that planning the next batch depends on. The ledger does not contain them yet.
struct UnrecordedBatch: Sendable {
    private let places: [Command.Key: Int]
    private let records: [BatchRecord<DecidedCommand>]
    private let cancelledOrders: Set<Identifier>
    private let deadLetters: [EntryIdentity: Int]

    init(_ batch: DecidedBatch) {
        places = batch.planned.places
        records = batch.record.records
        cancelledOrders = batch.planned.cancelledOrders
        deadLetters = batch.planned.deadLetters
    }

    func decision(of key: Command.Key) -> (digest: [UInt8], replay: Replay)? {
        guard let place = places[key], case .command(let decided) = records[place] else { return nil }
        assert(decided.command.key == key, "a place leads to its command")
        return (decided.command.digest, Replay(outcome: Outcome(decided), place: .recordBefore(place)))
    }

    func replay(ofDeadLetter key: EntryIdentity) -> Replay? {
        guard let place = deadLetters[key], case .deadLetter(let letter) = records[place] else { return nil }
        return Replay(outcome: Outcome(letter), place: .recordBefore(place))
    }

    /// Whether the units that an order owns are known only once the batch is recorded.
    func changes(_ order: Identifier) -> Bool {
        places[Command.Key(.placeOrder, order)] != nil || cancelledOrders.contains(order)
    }
}
