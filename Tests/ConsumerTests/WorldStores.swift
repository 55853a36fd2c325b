import Counters
import Inventory
import Ledger

@testable import Consumer
@testable import Intake
@testable import MemoryLedger

extension MemoryTables {
    static let worldIdentity = "L"

    /// Products and variants with caps that a few dozen orders reach; catalogue version 1.
    static func ofWorld() throws -> MemoryTables {
        var tables = MemoryTables(identity: worldIdentity, store: "main")
        func product(_ id: Identifier, cap: Int64, _ variants: [Variant] = []) -> Product {
            Product(id: id, name: "n", category: "c", devStatus: 5, basePrice: 1, cap: cap, variants: variants)
        }
        let variants = [Variant(id: "black", name: "n", cap: 25), Variant(id: "white", name: "n")]
        _ = try tables.sync(
            Catalogue(
                categories: ["c"], products: [product("cube", cap: 40, variants), product("lamp", cap: 30)]),
            progress: nil)
        return tables
    }

    func epoch(over connection: Int) -> Epoch {
        Epoch(
            number: head.epoch, seq: head.seq, catalogue: ConsumerWorld.catalogue(version: head.catalogueVersion),
            records: head.records, connection: connection)
    }

    var decisions: [Command.Key: PriorDecision] {
        let keys =
            orders.map { Command.Key(.placeOrder, $0.checkout.orderID) }
            + cancellations.map { Command.Key(.cancel, $0.recorded.id) }
            + adjustments.map { Command.Key(.adjust, $0.adjustment.adjustmentID) }
        return Dictionary(uniqueKeysWithValues: keys.compactMap { key in decision(key).map { (key, $0) } })
    }

    var deadLetterKeys: Set<EntryKey> {
        Set(deadLetters.map { EntryKey(entryID: $0.entryID, fingerprint: $0.fingerprint) })
    }

    /// By their numbers.
    var wanted: [Int64: EntryKey] {
        let letters = deadLetters.filter { $0.status == .replay }
        return Dictionary(
            uniqueKeysWithValues: letters.map {
                ($0.number, EntryKey(entryID: $0.entryID, fingerprint: $0.fingerprint))
            })
    }

    /// None that could be processed is left.
    var earlyCancellationsOfRecordedOrders: Int {
        deadLetters.count { letter in
            letter.reason == DeadLetterReason.unknownOrder.rawValue && [.open, .replay].contains(letter.status)
                && letter.orderID.map { order(Identifier($0)) != nil } ?? false
        }
    }
}

/// A stream with a consumer group, and counters, in memory.
struct FakeRedis {
    struct Counters {
        var epoch: Int64
        var seq: Int64
        var sold: [CounterName: Int64]
    }

    enum Reader {
        case claiming(after: Int)
        case reading
    }

    private(set) var stream: [StreamEntry]
    /// Places of the entries in the stream.
    private(set) var pending: Set<Int> = []
    private(set) var acknowledged: Set<Int> = []
    private var delivered = 0
    /// How often each entry was delivered.
    private var deliveries: [Int: Int64] = [:]
    var reader = Reader.reading
    var counters: Counters?
    /// Of the connection that decides.
    var generation = 0

    init(stream: [StreamEntry]) { self.stream = stream }

    /// The group is made again at the beginning of the stream.
    mutating func losesGroup() {
        pending = []
        delivered = 0
        acknowledged = []
        generation += 1
        counters = nil
    }

    /// The latest `count` acknowledged entries are pending again.
    mutating func forgetAcknowledgements(_ count: Int) {
        for place in acknowledged.sorted().suffix(count) {
            acknowledged.remove(place)
            pending.insert(place)
        }
    }

    /// - Returns: its id.
    mutating func publishAgain(_ id: String) -> String? {
        guard let old = stream.first(where: { $0.id == id }), let type = old.type, let payload = old.payload else {
            return nil
        }
        let new = "\(1_000 + stream.count)-0"
        stream.append(StreamEntry(id: new, fields: StreamEntry.fields(type: type.copy, payload: payload.copy)))
        return new
    }

    /// Whether it is unread or pending.
    func isWaiting(_ id: String) -> Bool {
        stream.firstIndex { $0.id == id }.map { $0 >= delivered || pending.contains($0) } ?? false
    }

    private mutating func hand(out places: some Collection<Int>) -> [StreamEntry] {
        places.map { place in
            deliveries[place, default: 0] += 1
            var entry = stream[place]
            entry.deliveries = deliveries[place, default: 1]
            return entry
        }
    }

    /// New entries, which are pending from now on.
    mutating func deliver(_ count: Int) -> [StreamEntry] {
        let places = delivered..<min(delivered + count, stream.count)
        delivered = places.upperBound
        pending.formUnion(places)
        return hand(out: places)
    }

    mutating func next(_ count: Int) -> Delivery {
        switch reader {
        case .claiming(let after):
            let places = pending.filter { $0 > after }.sorted().prefix(count)
            reader = places.last.map { .claiming(after: $0) } ?? .reading
            return Delivery(entries: hand(out: places), isFull: places.count == count)
        case .reading:
            let entries = deliver(count)
            return Delivery(entries: entries, isEmptyRead: entries.isEmpty, isFull: entries.count == count)
        }
    }

    mutating func install(_ ledger: MemoryTables, epoch: Int64) {
        counters = Counters(epoch: epoch, seq: ledger.head.seq, sold: ledger.balances.mapValues(\.sold))
    }

    /// As lua/gate.lua does; nil: fenced.
    mutating func decide(
        _ commands: [PlannedCommand], epoch: Int64, seq: Int64, _ ledger: MemoryTables
    ) -> [Decision]? {
        if commands.isEmpty { return [] }
        guard var after = counters, after.epoch == epoch, after.seq == seq else { return nil }
        let decisions = commands.map { planned -> Decision in
            let movements = planned.movements.filter { $0.sold != 0 }
            if planned.command.isBoundByCaps {
                for movement in movements {
                    let sold = after.sold[movement.counter, default: 0]
                    let left = CapRule.left(sold: sold, cap: ledger.balances[movement.counter]?.cap)
                    if movement.sold > left {
                        return .refused(Shortage(counter: movement.counter, asked: movement.sold, left: left))
                    }
                }
            }
            if movements.isEmpty { return .unchanged }
            for movement in movements { after.sold[movement.counter, default: 0] += movement.sold }
            after.seq += 1
            return .accepted(seq: after.seq)
        }
        counters = after
        return decisions
    }

    /// As lua/acknowledge.lua does.
    mutating func acknowledge(_ acknowledgement: Acknowledgement) -> AcknowledgeAnswer {
        guard let counters, counters.epoch == acknowledgement.epoch, counters.seq >= acknowledgement.settled else {
            return .fenced
        }
        for id in acknowledgement.entries {
            guard let place = stream.firstIndex(where: { $0.id == id }), pending.remove(place) != nil else { continue }
            acknowledged.insert(place)
        }
        return .acknowledged(AcknowledgeReport())
    }
}
