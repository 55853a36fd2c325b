import Counters
import Domain
import Ledger
import Randomness
import Testing

@testable import Consumer
@testable import Ingest
@testable import MemoryLedger

/// Redis, a ledger and a clock in memory, and a `ConsumerStateMachine` whose actions they execute: one at a time, in
/// any order, with any delay. A seed determines everything.
final class ConsumerWorld {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The faults that may occur, each with its probability per step in thousandths.
    struct Faults {
        var readFails = 0
        var connectingFails = 0
        var readLosesEntries = 0
        var streamIsLost = 0
        var gateIsInDoubt = 0
        var countersAreLost = 0
        var counterIsEdited = 0
        var epochIsTaken = 0
        var catalogueChanges = 0
        /// Entries are delivered to a dead connection, and no error reports it.
        var strays = 0
        var processDies = 0
        var stops = 0
        var installsAreInDoubt = 0
        /// Redis starts or stops refusing outcomes.
        var announcingIsRefused = 0
        /// Redis forgets the latest announced outcomes.
        var outcomesAreLost = 0

        static let none = Faults()
        static let all = Faults(
            readFails: 40, connectingFails: 300, readLosesEntries: 40, streamIsLost: 30, gateIsInDoubt: 40,
            countersAreLost: 6, counterIsEdited: 4, epochIsTaken: 4, catalogueChanges: 4, processDies: 3, stops: 3,
            installsAreInDoubt: 300, announcingIsRefused: 15, outcomesAreLost: 6)
    }

    /// Work in progress: it has begun, and its first half may be done.
    private struct Task {
        var action: ConsumerAction
        var planned: PlannedBatch?
        var raised: LedgerHead?
        /// The result of a task that has taken effect; it has not been delivered yet.
        var result: ConsumerEvent?
        /// Losses before it took effect.
        var losses = 0
    }

    private let settings: ConsumerSettings
    private let wakesCancellations: Bool
    private(set) var machine: ConsumerStateMachine
    private(set) var ledger: MemoryTables
    private(set) var redis: WorldRedis
    private(set) var isFinished = false
    private(set) var steps = 0
    /// The number of times each fault occurred.
    private(set) var faultsSeen: [String: Int] = [:]
    private var faults: Faults
    private var generator: SeededGenerator
    private var tasks: [Task] = []
    /// Tasks of processes that have died: the commands they sent may still arrive.
    private var late: [Task] = []
    private var isStopping = false
    /// The number of times acknowledgements were lost, and how many of these losses a watch could show to the machine.
    private var losses = (all: 0, shown: 0)
    /// Outcomes were lost since the last start, which finds those that no watch has shown.
    private var hasLostOutcomes = false
    /// Entries were delivered to a dead connection, and pending entries have not been checked since.
    private var hasUnseenStrays = false
    private var now = ContinuousClock.now
    private var lastDecided: (epoch: Int64, seq: Int64)?

    static func catalogue(version: Int64) -> CatalogueIndex {
        CatalogueIndex(
            version: version,
            products: [
                "cube": .init(isActive: true, hasVariants: true), "lamp": .init(isActive: true, hasVariants: false),
            ],
            variants: [
                "black": .init(productID: "cube", isActive: true), "white": .init(productID: "cube", isActive: true),
            ])
    }

    /// - Parameter wakesCancellations: Cancellations that preceded their order are republished at the end of the
    ///   stream.
    init(
        _ stream: [StreamEntry], batchOrders: Int, faults: Faults, wakesCancellations: Bool = false,
        _ generator: SeededGenerator
    ) throws {
        ledger = try .ofWorld()
        self.wakesCancellations = wakesCancellations
        redis = WorldRedis(stream: stream)
        self.faults = faults
        self.generator = generator
        var settings = ConsumerSettings()
        settings.batchOrders = batchOrders
        settings.untilIdle = true
        self.settings = settings
        ledger.head.epoch = 1
        let announced = try redis.install(ledger, epoch: 1)
        redis.reader = .fromTheBeginning
        machine = ConsumerStateMachine(
            settings, ledger: MemoryTables.worldIdentity, epoch: ledger.epoch(over: 0, announced: announced))
    }

    // MARK: - Steps

    /// Runs until it is finished; after `faultySteps` steps there are no more faults.
    func run(faultySteps: Int) throws {
        accept(machine.begin(at: now))
        while true {
            if isFinished {
                let missing = ledger.announceable.subtracting(redis.tables.outcomes.map(\.place.position))
                if !isStopping, redis.pending.count == 0, missing.isEmpty { return }
                guard isStopping || losses.shown < losses.all || hasUnseenStrays || hasLostOutcomes else {
                    throw Failure(
                        description: "finished with entries pending: \(redis.pending), not announced: \(missing)")
                }
                try startAgain()
            }
            steps += 1
            if steps == faultySteps { (faults, redis.refusesOutcomes) = (.none, false) }
            guard steps < faultySteps + 20_000 else { throw Failure(description: "stuck: \(tasks.map(\.action.name))") }
            now += .milliseconds(Int64.random(in: 0...300, using: &generator))
            try breakSomething()
            // The results of work that is still in progress are discarded.
            if isFinished { continue }
            try arriveLate()
            guard !tasks.isEmpty else { throw Failure(description: "nothing is under way, and it is not finished") }
            let place = Int.random(in: tasks.indices, using: &generator)
            // A chore usually runs only when there is little other work.
            if case .wait = tasks[place].action, tasks.count > 3, generator.chance(90) { continue }
            if let event = try tasks[place].result ?? proceed(&tasks[place]) {
                if tasks[place].result == nil, generator.chance(30) {
                    tasks[place].result = event
                    continue
                }
                let done = tasks.remove(at: place)
                if case .watched(let report) = event, report.epoch == machine.epoch.number {
                    losses.shown = max(losses.shown, done.losses)
                }
                accept(machine.handle(event, at: now))
                try check(after: done.action)
            } else if tasks[place].action.isOver {
                tasks.remove(at: place)
            }
        }
    }

    private func accept(_ actions: [ConsumerAction]) {
        for action in actions {
            if case .finish = action { isFinished = true }
            tasks.append(Task(action: action))
        }
    }

    /// Starts again, as the program does.
    private func startAgain() throws {
        (isFinished, isStopping, hasUnseenStrays, hasLostOutcomes) = (false, false, false, false)
        losses.shown = losses.all
        tasks = []
        ledger.head.epoch += 1
        let announced = try redis.install(ledger, epoch: ledger.head.epoch)
        redis.reader = .fromTheBeginning
        lastDecided = nil
        machine = ConsumerStateMachine(
            settings, ledger: MemoryTables.worldIdentity,
            epoch: ledger.epoch(over: redis.generation, announced: announced))
        accept(machine.begin(at: now))
    }

    /// A command that a dead process had sent to Redis is executed at any later time, or never.
    private func arriveLate() throws {
        guard !late.isEmpty, generator.chance(10) else { return }
        let task = late.remove(at: Int.random(in: late.indices, using: &generator))
        switch task.action {
        case .decide(let request):
            guard let planned = task.planned else { return }
            _ = redis.decide(planned.commands, epoch: request.epoch.number, seq: request.seq, ledger)
        case .acknowledge(let acknowledgement): _ = redis.acknowledge(acknowledgement, ledger)
        default: break
        }
    }

    /// No stage does two things at once.
    private func check(after action: ConsumerAction) throws {
        for lane in ["reading", "decode", "decide", "record", "acknowledge", "openEpoch", "chore"] {
            let busy = tasks.filter { $0.action.lane == lane }
            if busy.count > 1 { throw Failure(description: "\(busy.map(\.action.name)) at once, after \(action.name)") }
        }
        let lanes = Set(tasks.compactMap(\.action.lane))
        if lanes.contains("openEpoch"), lanes.contains("decide") || lanes.contains("record") {
            throw Failure(description: "an epoch is opened while a batch is decided or recorded")
        }
    }

    private func happens(_ fault: KeyPath<Faults, Int>, _ name: String) -> Bool {
        guard Int.random(in: 0..<1_000, using: &generator) < faults[keyPath: fault] else { return false }
        faultsSeen[name, default: 0] += 1
        return true
    }

    private func breakSomething() throws {
        if happens(\.countersAreLost, "counters lost") {
            redis.counters = nil
            redis.generation += 1
            // As if restored from an older file: some acknowledgements are lost, too.
            redis.forgetAcknowledgements(Int.random(in: 0...3, using: &generator))
            losses.all += 1
        }
        if happens(\.counterIsEdited, "counter edited") {
            let edit = Int64.random(in: -2...2, using: &generator)
            if let sold = redis.counters?.sold[.product("lamp")] {
                redis.counters?.sold[.product("lamp")] = max(sold + edit, 0)
            }
        }
        if happens(\.epochIsTaken, "epoch taken") { ledger.head.epoch += 1 }
        if happens(\.catalogueChanges, "catalogue changed") { ledger.raiseCatalogueVersion() }
        if happens(\.strays, "stray") {
            _ = redis.deliver(3)
            hasUnseenStrays = true
        }
        if happens(\.processDies, "process dies") {
            late += tasks.filter { $0.result == nil }
            try startAgain()
        }
        if happens(\.announcingIsRefused, "announcing refused") { redis.refusesOutcomes.toggle() }
        if happens(\.outcomesAreLost, "outcomes lost") {
            redis.forgetOutcomes(Int.random(in: 1...5, using: &generator))
            hasLostOutcomes = true
        }
        if !isStopping, happens(\.stops, "stop") {
            isStopping = true
            accept(machine.handle(.stopRequested, at: now))
        }
    }

    /// - Returns: `nil` if only its first half is done, or if no event follows.
    private func proceed(_ task: inout Task) throws -> ConsumerEvent? {
        switch task.action {
        case .read(let claims): return try read(claims: claims)
        case .connect: return connect()
        case .checkForLeftovers:
            hasUnseenStrays = false
            return .leftovers(pending: redis.pending.count, wanted: wanted)
        case .decode(let entries): return .decoded(EntryDecoder.decode(entries))
        case .decide(let request):
            guard let planned = task.planned else {
                task.planned = plan(request)
                return nil
            }
            return try decide(planned, request)
        case .record(let batch): return .recorded(try ledger.record(batch))
        case .acknowledge(let acknowledgement):
            for id in acknowledgement.entries where !isRecorded(id) {
                throw Failure(description: "acknowledges \(id), which is not recorded")
            }
            return .acknowledged(epoch: acknowledgement.epoch, redis.acknowledge(acknowledgement, ledger))
        case .readJournal(let range):
            let limit = Int.random(in: 1...9, using: &generator)
            let rows = ledger.outcomes(after: range.after, through: range.through, limit: limit)
            return .journalRead(rows, of: range)
        case .openEpoch(let request): return try openEpoch(request, &task)
        case .wait(let chore): return .due(chore)
        case .watch(let epoch):
            task.losses = losses.all
            return .watched(
                WatchReport(
                    epoch: epoch, ledger: ledger.head,
                    counters: redis.counters?.head ?? CounterHead(),
                    pending: redis.pending,
                    isRedisFull: false))
        case .upkeep: return .upkept(wanted: wanted)
        case .trim: return .trimmed
        case .publish(let due): return .published(publish(due))
        case .giveUp(let needed): throw Failure(description: "gave up: \(needed.reason)")
        case .endRead, .announceCatalogue, .report, .finish: return nil
        }
    }

    // MARK: - Redis and the ledger

    private func read(claims: Bool) throws -> ConsumerEvent {
        if claims {
            guard machine.isMemoryEmpty else { throw Failure(description: "claims what is in memory") }
            redis.reader = .fromTheBeginning
        }
        if happens(\.streamIsLost, "stream lost") {
            redis.losesGroup()
            return .readFailed(.lostData)
        }
        let count = Int.random(in: 1...7, using: &generator)
        if happens(\.readLosesEntries, "read lost entries") {
            _ = redis.deliver(count)
            return .readFailed(.interrupted)
        }
        if happens(\.readFails, "read failed") {
            if generator.chance(50) { redis.generation += 1 }
            return .readFailed(.interrupted)
        }
        return .delivered(redis.next(count))
    }

    private func isRecorded(_ id: String) -> Bool {
        guard let entry = redis.stream.first(where: { $0.id == id }) else { return false }
        if ledger.deadLetterKeys.contains(EntryIdentity(entry)) { return true }
        guard case .success(let command) = EntryDecoder.decode(entry).command else { return false }
        return ledger.decision(command.key) != nil
    }

    private func connect() -> ConsumerEvent {
        if happens(\.connectingFails, "connecting failed") { return .readFailed(.interrupted) }
        redis.reader = .fromTheBeginning
        return .connected(decidingConnection: redis.generation)
    }

    private var wanted: [RequestedReplay] {
        guard wakesCancellations else { return [] }
        return ledger.wanted.sorted { $0.key < $1.key }.compactMap { number, key in
            redis.stream.first { $0.id == key.entryID }.map {
                RequestedReplay(number: number, fingerprint: $0.fingerprint)
            }
        }
    }

    private func publish(_ due: [Replays.Due]) -> PublishedReplays {
        var published = PublishedReplays()
        for each in due {
            if let entry = each.entry, redis.tables.isWaiting(entry) {
                published.sent[each.number] = entry
            } else if let key = ledger.wanted[each.number], let entry = redis.publishAgain(key.entryID) {
                published.sent[each.number] = entry
            }
        }
        return published
    }

    private func plan(_ request: DecisionRequest) -> PlannedBatch {
        let entries: [DecodedEntry] =
            switch request.entries {
            case .batch(let entries): entries
            case .poison(let entry): [EntryDecoder.decode(entry)]
            }
        let planner = BatchPlanner(entries, request.planning, at: "")
        let prior = ledger.priorState(for: planner.lookup)
        return planner.plan(by: prior)
    }

    private func decide(_ planned: PlannedBatch, _ request: DecisionRequest) throws -> ConsumerEvent {
        if planned.entries.isEmpty { return .blocked }
        let state = (epoch: request.epoch.number, seq: request.seq)
        if let last = lastDecided, last.epoch == state.epoch, last.seq > state.seq {
            throw Failure(description: "decides from seq \(state.seq) after \(last.seq)")
        }
        guard let decisions = redis.decide(planned.commands, epoch: state.epoch, seq: state.seq, ledger) else {
            let isOutage = redis.generation != request.epoch.connection
            return .undecided(EpochReason(isOutage ? .outage : .batch, "fenced", memory: .doubtful))
        }
        if happens(\.gateIsInDoubt, "gate in doubt") { return .undecided(EpochReason(.outage, "in doubt")) }
        let seqAfter = redis.counters?.head.seq ?? state.seq
        lastDecided = (state.epoch, seqAfter)
        return .decided(
            try DecidedBatch(
                planned, decisions, epoch: state.epoch, seqBefore: state.seq,
                seqAfter: planned.commands.isEmpty ? state.seq : seqAfter, decidedAt: ""))
    }

    private func openEpoch(_ request: EpochRequest, _ task: inout Task) throws -> ConsumerEvent? {
        guard let raised = task.raised else {
            ledger.head.epoch += 1
            task.raised = ledger.head
            return nil
        }
        let connection = redis.generation
        // Another process has taken the next epoch in the meantime: this installation would be refused.
        if ledger.head.epoch != raised.epoch {
            task.raised = nil
            return nil
        }
        if happens(\.installsAreInDoubt, "installation in doubt") {
            if generator.chance(50) { try redis.install(ledger, epoch: raised.epoch) }
            task.raised = nil
            return nil
        }
        let announced = try redis.install(ledger, epoch: raised.epoch)
        return .epochOpened(ledger.epoch(over: connection, announced: announced))
    }
}

extension ConsumerAction {
    var name: String { String("\(self)".prefix { $0 != "(" }) }

    /// Of the actions that share a lane only one may run at a time.
    var lane: String? {
        switch self {
        case .read, .connect, .checkForLeftovers: "reading"
        case .decode: "decode"
        case .decide: "decide"
        case .record: "record"
        case .acknowledge: "acknowledge"
        case .openEpoch: "openEpoch"
        case .watch, .upkeep, .trim: "chore"
        case .endRead, .readJournal, .announceCatalogue, .wait, .publish, .report, .finish, .giveUp: nil
        }
    }

    /// No event follows.
    fileprivate var isOver: Bool {
        switch self {
        case .endRead, .announceCatalogue, .report, .finish: true
        default: false
        }
    }
}
