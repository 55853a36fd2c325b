import Counters
import Domain
import Ledger

@testable import Consumer
@testable import Ingest
@testable import MemoryLedger

/// A state machine with its epoch 1 open, and its requested actions in words.
final class MachineBench {
    private(set) var machine: ConsumerStateMachine
    var now = ContinuousClock.now
    private(set) var lastRequest: EpochRequest?
    private var asked: [String] = []
    private var delivered: [[StreamEntry]] = []
    private var request: DecisionRequest?
    private var acknowledgement: Acknowledgement?
    private var ledger: MemoryTables

    /// Two orders are a full batch.
    init(batchOrders: Int = 2, queueBytes: Int = 1 << 20, untilIdle: Bool = false) {
        var settings = ConsumerSettings()
        settings.batchOrders = batchOrders
        settings.queueBytes = queueBytes
        settings.untilIdle = untilIdle
        ledger = MemoryTables(identity: MemoryTables.worldIdentity, store: "main")
        (ledger.head.epoch, ledger.head.catalogueVersion) = (1, 1)
        machine = ConsumerStateMachine(
            settings, ledger: MemoryTables.worldIdentity, epoch: ledger.epoch(over: 0, announced: 0))
        note(machine.begin(at: now))
    }

    /// A machine whose first batch is this order, which is being recorded; the first watch is done.
    static func recording(_ order: DecodedEntry) throws -> MachineBench {
        let bench = MachineBench()
        bench.finishWatch()
        bench.send(.upkept(wanted: []))
        try bench.deliverDecoded(order)
        try bench.decide()
        _ = bench.take()
        return bench
    }

    /// The actions requested since the last call.
    func take() -> [String] {
        defer { asked = [] }
        return asked
    }

    func send(_ event: ConsumerEvent) { note(machine.handle(event, at: now)) }

    private func note(_ actions: [ConsumerAction]) {
        for action in actions {
            switch action {
            case .decide(let decision): request = decision
            case .acknowledge(let next): acknowledgement = next
            case .openEpoch(let epoch): lastRequest = epoch
            case .decode(let entries): delivered.append(entries)
            default: break
            }
            asked.append(action.words)
        }
    }

    // MARK: - Events

    func deliver(isFull: Bool = false, _ entries: DecodedEntry...) {
        send(
            .delivered(
                Delivery(entries: entries.map(\.entry), isEmptyRead: entries.isEmpty, isFull: isFull)))
    }

    func deliverDecoded(_ entries: DecodedEntry...) throws {
        send(.delivered(Delivery(entries: entries.map(\.entry))))
        try decode()
    }

    func decode() throws { send(.decoded(EntryDecoder.decode(delivered.removeFirst()))) }

    /// The gate accepts the latest batch it was asked to decide.
    func decide() throws {
        // A decision waits for the first watch.
        if request == nil { finishWatch() }
        guard let request else { return }
        self.request = nil
        let entries: [DecodedEntry] =
            switch request.entries {
            case .batch(let entries): entries
            case .poison(let entry): [EntryDecoder.decode(entry)]
            }
        let planned = BatchPlanner(entries, request.planning, at: "").plan(by: PriorState())
        let seqs = planned.commands.indices.map { request.seq + 1 + Int64($0) }
        send(
            .decided(
                try DecidedBatch(
                    planned, seqs.map { .accepted(seq: $0) }, epoch: request.epoch.number, seqBefore: request.seq,
                    seqAfter: seqs.last ?? request.seq, decidedAt: "")))
    }

    /// Redis has done what the latest acknowledgement asked for.
    /// - Parameter announced: The position up to which it announced; `nil` if all of it.
    func acknowledge(announced: Int64? = nil, refusal: String? = nil) {
        guard let acknowledgement else { return }
        self.acknowledgement = nil
        let position = announced ?? acknowledgement.announcement?.through ?? machine.announcing.announced
        send(
            .acknowledged(
                epoch: acknowledgement.epoch,
                .acknowledged(
                    AcknowledgeReport(
                        acknowledged: Int64(acknowledgement.entries.count), announced: position, refusal: refusal))))
    }

    func open(
        epoch: Int64, seq: Int64 = 0, catalogue: Int64 = 1, position: Int64 = 0, announced: Int64 = 0,
        changed: [Identifier] = []
    ) {
        request = nil
        send(
            .epochOpened(
                Epoch(
                    number: epoch, seq: seq, catalogue: ConsumerWorld.catalogue(version: catalogue), position: position,
                    announced: announced,
                    connection: 0, changedProducts: changed)))
    }

    func startWatch() {
        if machine.chores.inProgress == .upkeep { send(.upkept(wanted: [])) }
        if machine.chores.inProgress == .trim { send(.trimmed) }
        if machine.chores.inProgress == nil { send(.due(.watch)) }
    }

    /// The watch that is in progress, or due next, finds everything well.
    func finishWatch() { watch() }

    /// A watch finds this; `nil` counters mean that Redis does not reply.
    func watch(
        in begun: Int64? = nil, catalogue: Int64? = nil, epoch: Int64? = nil, seq: Int64? = nil,
        counters: CounterHead?? = nil, pending: PendingSummary? = nil
    ) {
        startWatch()
        let number = machine.epoch.number
        let found = CounterHead(
            ledger: MemoryTables.worldIdentity, epoch: epoch ?? number, seq: seq ?? machine.seq,
            announced: machine.announcing.announced)
        send(
            .watched(
                WatchReport(
                    epoch: begun ?? number,
                    ledger: LedgerHead(
                        epoch: epoch ?? number, seq: 0, position: 0,
                        catalogueVersion: catalogue ?? machine.epoch.catalogue.version),
                    counters: counters ?? found, pending: pending, isRedisFull: false)))
    }
}

extension ConsumerAction {
    /// The action in words.
    fileprivate var words: String {
        switch self {
        case .read(let claims): claims ? "claim" : "read"
        case .endRead: "end read"
        case .connect(let attempt): "connect \(attempt)"
        case .checkForLeftovers: "look for leftovers"
        case .decode(let entries): "decode " + entries.map(\.id).joined(separator: " ")
        case .decide(let request):
            switch request.entries {
            case .batch(let entries):
                "decide \(entries.map(\.entry.id).joined(separator: " ")) after \(request.seq)"
            case .poison(let entry): "decide alone \(entry.id) after \(request.seq)"
            }
        case .record(let batch): "record " + batch.records.map(\.entryID).joined(separator: " ")
        case .acknowledge(let acknowledgement):
            acknowledgement.words
        case .readJournal(let range): "read journal \(range.after)–\(range.through)"
        case .openEpoch(let request): "open epoch: \(request.needed.reason)"
        case .announceCatalogue(let change): "announce " + change.changed.map(\.text).joined(separator: " ")
        case .wait(let chore): "wait for \(chore)"
        case .watch: "watch"
        case .upkeep: "upkeep"
        case .trim: "trim"
        case .publish(let due): "publish " + due.map { "\($0.number)" }.joined(separator: " ")
        case .report(.recorded): "recorded"
        case .report(.stray(let entry)): "stray \(entry.text)"
        case .report(.announcingRefused(let error)): "refused: \(error)"
        case .report(.announcingResumed): "resumed"
        case .finish: "finish"
        case .giveUp(let needed): "give up: \(needed.reason)"
        }
    }
}

extension Acknowledgement {
    fileprivate var words: String {
        var parts = ["acknowledge " + (entries.isEmpty ? "nothing" : entries.joined(separator: " "))]
        if let announcement { parts.append("announce \(announcement.after)–\(announcement.through)") }
        if !repeated.isEmpty { parts.append("repeat " + repeated.map(\.place.text).joined(separator: " ")) }
        return parts.joined(separator: ", ")
    }
}

extension BatchRecord<DecidedCommand> {
    fileprivate var entryID: String {
        switch self {
        case .command(let decided): decided.entryID
        case .deadLetter(let letter): letter.key.entryID
        }
    }
}
