import Concurrency
import Counters
import Ingest
import Domain
import Ledger
import Logging
import RedisClient

/// The stages of the consumer, each with its dependencies. The stages do not know each other; `ConsumerStateMachine`
/// knows their order. This is a class because every action captures it.
final class ConsumerStages: Sendable {
    let read: ReadStage
    private let decide: DecideStage
    private let record: RecordStage
    private let acknowledge: AcknowledgeStage
    let epochs: EpochOpener
    private let trimmer: StreamTrimmer
    let server: ServerCheck
    private let watch: WatchStage
    private let replays: ReplayPublisher
    let tasks: any TaskExecutor
    private let clock: any TimeSource
    private let metrics: ConsumerMetrics
    private let logger: Logger

    init(
        settings: ConsumerSettings, ledger: any LedgerStore, lease: any Lease, redis: ConsumerPorts, retrier: Retrier,
        clock: any TimeSource, metrics: ConsumerMetrics
    ) {
        tasks = redis.tasks
        self.clock = clock
        self.metrics = metrics
        logger = retrier.logger
        server = ServerCheck(gate: redis.gate, source: redis.source, retrier: retrier)
        trimmer = StreamTrimmer(
            settings: settings, upkeep: redis.upkeep, clock: clock, metrics: metrics, logger: retrier.logger)
        read = ReadStage(
            settings: settings, source: redis.source, gate: redis.gate, ledger: ledger, server: server,
            retrier: retrier)
        decide = DecideStage(
            ledger: ledger, gate: redis.gate, lease: lease, retrier: retrier, clock: clock, metrics: metrics)
        record = RecordStage(ledger: ledger, retrier: retrier, clock: clock, metrics: metrics)
        acknowledge = AcknowledgeStage(
            settings: settings, ledger: ledger, gate: redis.gate, trimmer: trimmer, retrier: retrier, clock: clock,
            metrics: metrics)
        epochs = EpochOpener(ledger: ledger, gate: redis.gate, retrier: retrier, metrics: metrics)
        watch = WatchStage(
            ledger: ledger, gate: redis.gate, server: server, trimmer: trimmer, retrier: retrier)
        replays = ReplayPublisher(ledger: ledger, publisher: redis.publisher, retrier: retrier)
    }

    /// Returns the executor for an action. A long action on the connections' thread would delay everything else there.
    func executor(for action: ConsumerAction) -> any TaskExecutor {
        action.isShort ? tasks : globalConcurrentExecutor
    }

    /// Executes an action.
    /// - Returns: the resulting event; `nil` if there is none.
    func perform(_ action: ConsumerAction) async throws -> ConsumerEvent? {
        switch action {
        case .read(let claims): return try await read.next(claims: claims)
        case .endRead: await read.endWait()
        case .connect(let attempt): return try await read.connect(attempt: attempt)
        case .checkForLeftovers: return try await read.checkForLeftovers()
        case .decode(let entries): return .decoded(EntryDecoder.decode(entries))
        case .decide(let request): return try await uncancelled(action) { try await self.decide.decide(request) }
        case .record(let batch): return .recorded(try await uncancelled(action) { try await self.record.record(batch) })
        case .acknowledge(let acknowledgement):
            let result = try await uncancelled(action) { try await self.acknowledge.acknowledge(acknowledgement) }
            return .acknowledged(epoch: acknowledgement.epoch, result)
        case .readJournal(let range): return .journalRead(try await acknowledge.outcomes(of: range), of: range)
        case .openEpoch(let request):
            return .epochOpened(try await uncancelled(action) { try await self.epochs.open(request) })
        case .announceCatalogue(let change): try await uncancelled(action) { await self.acknowledge.announce(change) }
        case .wait(let chore):
            try await clock.sleep(for: chore.interval)
            return .due(chore)
        case .watch(let epoch): return .watched(try await watch.check(in: epoch))
        case .upkeep(let isFull):
            return .upkept(wanted: try await uncancelled(action) { try await self.watch.upkeep(isRedisFull: isFull) })
        case .trim:
            try await uncancelled(action) { await self.trimmer.trim() }
            return .trimmed
        case .publish(let due): return .published(try await uncancelled(action) { try await self.replays.publish(due) })
        case .report, .finish, .giveUp: assertionFailure("\(action) is the executor's")
        }
        return nil
    }

    /// Runs `body` in a separate task, which is not cancelled with the consumer's task, so that a write is not
    /// interrupted half-way. Actions that only read or wait end immediately when the consumer's task is cancelled.
    private func uncancelled<T: Sendable>(
        _ action: ConsumerAction, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await Task.immediate(executorPreference: executor(for: action)) { try await body() }.value
    }

    /// Counts or logs a report. Called in the order in which the state machine reports.
    func note(_ report: ConsumerReport) {
        switch report {
        case .recorded(let tally, let seq): metrics.count(tally, seq: seq)
        case .announcingRefused(let error):
            logger.error(
                "redis refuses to announce outcomes; they wait in the ledger, in order, and are retried every second",
                metadata: ["error": "\(RedisError.reply(RedisReplyError(message: error), command: "XADD"))"])
        case .announcingResumed: logger.notice("redis accepts outcomes again; announcing those that were waiting")
        case .stray(let entry):
            logger.notice(
                "an entry is pending that is not in this process's memory; claiming all pending entries",
                metadata: ["entry": "\(entry.text)"])
        }
    }
}

extension Chore {
    fileprivate var interval: Duration {
        switch self {
        case .watch: ConsumerSettings.watchInterval
        case .trim: ConsumerSettings.trimInterval
        }
    }
}
