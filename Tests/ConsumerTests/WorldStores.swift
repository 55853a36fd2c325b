import Counters
import Domain
import Ledger

@testable import Consumer
@testable import Ingest
@testable import MemoryLedger
@testable import MemoryRedis

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
            by: nil, progress: nil)
        return tables
    }

    /// - Parameter announced: The position up to which the journal is announced.
    func epoch(over connection: Int, announced: Int64) -> Epoch {
        Epoch(
            number: head.epoch, seq: head.seq, catalogue: ConsumerWorld.catalogue(version: head.catalogueVersion),
            position: head.position, announced: announced, connection: connection)
    }

    /// Positions of the rows that are announced.
    var announceable: Set<Int64> { Set(journal.filter { $0.kind != .catalogue }.map(\.position)) }

    var decisions: [Command.Key: PriorDecision] {
        let keys =
            orders.map { Command.Key(.placeOrder, $0.checkout.orderID) }
            + cancellations.map { Command.Key(.cancel, $0.recorded.id) }
            + adjustments.map { Command.Key(.adjust, $0.adjustment.adjustmentID) }
        return Dictionary(uniqueKeysWithValues: keys.compactMap { key in decision(key).map { (key, $0) } })
    }

    var deadLetterKeys: Set<EntryIdentity> {
        Set(deadLetters.map { EntryIdentity(entryID: $0.entryID, fingerprint: $0.fingerprint) })
    }

    /// Requested replays by their number.
    var wanted: [Int64: EntryIdentity] {
        let letters = deadLetters.filter { $0.status == .replay }
        return Dictionary(
            uniqueKeysWithValues: letters.map {
                ($0.number, EntryIdentity(entryID: $0.entryID, fingerprint: $0.fingerprint))
            })
    }

    /// No early cancellation is left that could be processed.
    var earlyCancellationsOfRecordedOrders: Int {
        deadLetters.count { letter in
            letter.reason == DeadLetterReason.unknownOrder.rawValue && [.open, .replay].contains(letter.status)
                && letter.ids.order.map { order($0) != nil } ?? false
        }
    }
}

/// Redis in memory, and the consumer's connections to it.
struct WorldRedis {
    enum Reader {
        case claiming(after: StreamID?)
        case reading

        static let fromTheBeginning = Reader.claiming(after: nil)
    }

    private(set) var tables = MemoryRedisTables()
    /// Ids of entries.
    private(set) var acknowledged: Set<String> = []
    var reader = Reader.reading
    /// The generation of the deciding connection.
    var generation = 0

    init(stream: [StreamEntry]) { for entry in stream { tables.add(entry) } }

    var stream: [StreamEntry] { tables.stream }

    var counters: MemoryRedisTables.Counters? {
        get { tables.counters }
        set { tables.counters = newValue }
    }

    var pending: PendingSummary { tables.pending }

    /// The group is created again at the beginning of the stream.
    mutating func losesGroup() {
        tables.loseGroup()
        acknowledged = []
        generation += 1
    }

    /// Makes the latest `count` acknowledged entries pending again.
    mutating func forgetAcknowledgements(_ count: Int) {
        for entry in stream.filter({ acknowledged.contains($0.id) }).suffix(count) {
            acknowledged.remove(entry.id)
            tables.forgetAcknowledgement(of: entry.id)
        }
    }

    /// Removes up to `count` outcomes, and with them the announced position.
    mutating func forgetOutcomes(_ count: Int) { tables.forgetOutcomes(count) }

    /// - Returns: The id of the new entry.
    mutating func publishAgain(_ id: String) -> String? {
        guard let old = stream.first(where: { $0.id == id }), let type = old.type, let payload = old.payload else {
            return nil
        }
        // Behind all others, whose ids are their numbers.
        return tables.publish(StreamEntry.fields(type: type.copy, payload: payload.copy), at: 1_000)
    }

    /// New entries, which are pending from now on.
    mutating func deliver(_ count: Int) -> Delivery { tables.read(count) }

    mutating func next(_ count: Int) -> Delivery {
        switch reader {
        case .claiming(let after):
            let delivery = tables.claim(count, after: after)
            reader = delivery.entries.last.map { .claiming(after: StreamID($0.id)) } ?? .reading
            return delivery
        case .reading: return deliver(count)
        }
    }

    /// - Returns: The position up to which the journal is announced.
    @discardableResult
    mutating func install(_ ledger: MemoryTables, epoch: Int64) throws -> Int64 {
        let answer = tables.install(
            Installation(
                epoch: epoch, seq: ledger.head.seq, position: ledger.head.position,
                catalogueVersion: ledger.head.catalogueVersion,
                counters: ledger.counterNames.compactMap { name in ledger.state(of: name).map { (name, $0) } }),
            of: ledger.identity)
        guard case .installed(let announced) = answer else {
            throw ConsumerWorld.Failure(description: "epoch \(epoch) was not installed: \(answer)")
        }
        return announced
    }

    /// Whether announcements are refused.
    var refusesOutcomes: Bool {
        get { tables.refusal != nil }
        set { tables.refusal = newValue ? "NOPERM" : nil }
    }

    /// `nil` if fenced.
    mutating func decide(
        _ commands: [PlannedCommand], epoch: Int64, seq: Int64, _ ledger: MemoryTables
    ) -> [Decision]? {
        // As the deciding stage does.
        if commands.isEmpty { return [] }
        guard case .decided(_, let decisions) = tables.decide(commands, of: ledger.identity, epoch: epoch, seq: seq)
        else { return nil }
        return decisions
    }

    mutating func acknowledge(_ acknowledgement: Acknowledgement, _ ledger: MemoryTables) -> AcknowledgeResult {
        let pending = acknowledgement.entries.filter { tables.isPending($0) }
        let answer = tables.acknowledge(acknowledgement, of: ledger.identity, keepOutcomes: 1_000)
        if case .acknowledged = answer { acknowledged.formUnion(pending) }
        return answer
    }
}
