import Counters
@testable import Intake
import Inventory
import Ledger

@testable import Consumer

/// What a ledger does with a batch, in memory: the fence, the arbiter, one row for each key.
struct FakeLedger {
    struct Violation: Error, CustomStringConvertible {
        var description: String
    }

    static let identity = "L"

    /// Whether an order has the cancellations that came before it published again.
    var wakesCancellations = false

    var head = LedgerHead(epoch: 0, seq: 0, records: 0, catalogueVersion: 1)
    private(set) var balances: [CounterName: Balance] = [
        .product("cube"): Balance(sold: 0, cap: 40), .variant("black"): Balance(sold: 0, cap: 25),
        .variant("white"): Balance(sold: 0, cap: nil), .product("lamp"): Balance(sold: 0, cap: 30),
    ]
    private(set) var decisions: [Command.Key: PriorDecision] = [:]
    private(set) var deadLetters: [EntryKey: Outcome] = [:]
    private var owned: [Identifier: [SKUUnits]] = [:]
    /// Cancellations that came before their order, and those of them that are to be published again.
    private var early: [(order: Identifier, key: EntryKey)] = []
    private(set) var wanted: [Int64: EntryKey] = [:]
    private var letters: Int64 = 0

    /// None that could be processed is left.
    var earlyCancellationsOfRecordedOrders: Int {
        early.count { decisions[Command.Key(.placeOrder, $0.order)] != nil } + wanted.count
    }

    func epoch(over connection: Int) -> Epoch {
        Epoch(
            number: head.epoch, seq: head.seq, catalogue: ConsumerWorld.catalogue(version: head.catalogueVersion),
            records: head.records,
            connection: connection)
    }

    func priorState(for lookup: BatchLookup) -> PriorState {
        var prior = PriorState()
        for key in lookup.keys { prior.decisions[key] = decisions[key] }
        let ids = Set(lookup.entryIDs)
        prior.deadLetters = deadLetters.filter { ids.contains($0.key.entryID) }
        for order in lookup.cancelledOrders { prior.owned[order] = owned[order] }
        for counter in lookup.adjustedCounters { prior.balances[counter] = balances[counter] }
        return prior
    }

    mutating func record(_ batch: RecordBatch) throws -> RecordAnswer {
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { return .outdated(head) }
        var after = self
        var arbiter = Arbiter(seq: head.seq)
        for (counter, balance) in balances { arbiter.load(counter, balance) }
        for (order, units) in owned { arbiter.load(order: order, owns: units) }
        for record in batch.records {
            after.head.records += 1
            switch record {
            case .command(let decided):
                do {
                    try arbiter.confirm(decided)
                } catch {
                    return .disagreed(error)
                }
                try after.add(decided)
                if case .cancel(let cancellation) = decided.command {
                    after.owned[cancellation.orderID] = arbiter.owned(by: cancellation.orderID)
                }
            case .deadLetter(let letter):
                if wakesCancellations, after.deadLetters[letter.key] == nil, letter.cause.reason == .unknownOrder,
                    let order = letter.ids.order
                {
                    after.early.append((order, letter.key))
                }
                after.deadLetters[letter.key] = Outcome(
                    kind: .deadLetter, ids: letter.ids, reason: letter.cause.reason.rawValue, decidedAt: "")
            }
        }
        for number in batch.replayed { after.wanted[number] = nil }
        for (counter, balance) in arbiter.changes { after.balances[counter] = balance }
        after.head.seq = arbiter.seq
        self = after
        return .recorded(records: head.records)
    }

    private mutating func add(_ decided: DecidedCommand) throws {
        let key = decided.command.key
        guard decisions[key] == nil else { throw Violation(description: "\(key) is recorded twice") }
        decisions[key] = PriorDecision(digest: decided.command.digest, outcome: Outcome(decided))
        guard case .placeOrder(let order) = decided.command else { return }
        let isAccepted = decided.decision.seq != nil
        owned[order.id] = isAccepted ? order.checkout.lines.map { SKUUnits($0.sku, $0.units) }.summed : []
        for letter in early where letter.order == order.id {
            letters += 1
            wanted[letters] = letter.key
        }
        early.removeAll { $0.order == order.id }
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

    mutating func install(_ ledger: FakeLedger, epoch: Int64) {
        counters = Counters(epoch: epoch, seq: ledger.head.seq, sold: ledger.balances.mapValues(\.sold))
    }

    /// As lua/gate.lua does; nil: fenced.
    mutating func decide(
        _ commands: [PlannedCommand], epoch: Int64, seq: Int64, _ ledger: FakeLedger
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
