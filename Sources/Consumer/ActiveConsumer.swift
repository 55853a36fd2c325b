import Counters
import Failpoints
import Intake
import Inventory
import Ledger
import Logging
import RedisClient

/// The one process per store that decides and records. The order of the stages is here and nowhere else:
///
///     read → decode → plan → decide → record → settle
///
/// One task runs `run` and owns all state. Each stage goes on in a task of its own, which rings when it is done: while one
/// batch is being recorded the next one is decided, an earlier one settled and later ones are read and decoded. Nobody
/// waits for another one's answer but for the batch that hangs on it.
///
/// Whatever is odd ends in the same way (`ActiveConsumer+epochs.swift`): a new epoch, and everything in memory that is
/// not recorded is decided again, in order.
package actor ActiveConsumer {
    enum Event: Sendable {
        case read(Result<Delivery, any Error>)
        /// The reader has connected after reading had failed.
        case reconnected
        case decoded([ReadEntry])
        /// Deciding a batch has ended, well or not; the task has the answer.
        case decided(batch: Int)
        /// Recording a batch has ended, well or not; the task has the answer.
        case recorded(batch: Int)
        case settled(batch: Int)
        case watch
        case trim
        case stop
        /// Going on would be wrong.
        case failed(LedgerError)
    }

    /// Why a new epoch is needed.
    struct EpochNeeded: Error {
        var reason: String
        /// Lost connections are nobody's fault and do not count against the batch.
        var isOutage = false
        /// Redis has lost something: an id in memory may be another message's by now.
        var isLoss = false
    }

    let settings: ConsumerSettings
    let ledger: LedgerDatabase
    let counters: CounterStore
    let redis: RedisClient
    let reader: StreamReader
    let logger: Logger
    let metrics: ConsumerMetrics
    let stop: StopSignal
    let lock: ProcessLock
    private let events: AsyncStream<Event>
    let post: AsyncStream<Event>.Continuation

    // The epoch.
    var epoch: Int64 = 0
    /// The counters' seq after the last decided batch.
    var seq: Int64 = 0
    var catalog = CatalogIndex(version: -1, products: [:], variants: [:])
    /// The connection over which it was installed.
    var epochConnection = 0
    var epochsWithoutProgress = 0
    /// Set while epoch follows epoch with nothing recorded in between.
    var epochBackoff: Backoff?

    // The batches, from the latest to the earliest.
    var undecoded = Undecoded()
    var queue: BatchQueue
    /// Deciding what comes first in the queue, where it stays meanwhile.
    var deciding: (batch: Int, task: Task<DecisionResult, any Error>)?
    /// What comes first in the queue hangs on the batch that is being recorded.
    var mustWait = false
    var decided: DecidedBatch?
    var recording: (number: Int, batch: DecidedBatch, task: Task<RecordAnswer, any Error>)?
    var settling: [(batch: Int, settlement: Settlement)] = []
    /// Redis has lost something since what is in memory was read. What is recorded is announced and stays pending, is
    /// claimed once memory is empty, and acknowledged as known.
    var isAcknowledgingSuspended = false
    /// Settling the first of them, in the name of an epoch.
    var settleTask: (epoch: Int64, task: Task<SettleAnswer, any Error>)?
    var batchNumber = 0
    var replays = Replays()

    // Reading.
    private var readTask: Task<Void, Never>?
    /// Entries may be pending that are not in memory. They are claimed once memory is empty.
    private var claimWanted = false
    var strays = StrayEntries()
    /// The connections that were found to lead to one server.
    var comparedConnections: (reading: Int, deciding: Int)?
    /// When the read that is under way began.
    var readStart: ContinuousClock.Instant?

    // Trimming.
    var trimPolicy: TrimPolicy
    var clocks = ClockWatch()
    /// Since Redis has been full: what a restore can read again begins here.
    var historyStart: EntryPosition?
    var isTrimFailureReported = false
    var isExcessReported = false

    /// Reading failed: the reader must connect again, once memory is empty.
    private var readFailed = false
    /// The last read brought as much as was asked for.
    private var isBehind = false
    private var readBackoff = Backoff()
    /// Reading failed because the stream or its group is gone.
    private var hasLostData = false
    private var isIdle = false
    private var isWatchDue = false
    private var lastWatch = ContinuousClock.now - ConsumerSettings.watchInterval
    private var lastTrim = ContinuousClock.now - ConsumerSettings.trimInterval
    /// Lost messages that were told, or found before this process; nil: Redis was not asked yet.
    var lossesTold: Int64?

    package internal(set) var totals = Totals()

    /// What this process has done since its start.
    package struct Totals: Sendable {
        package var accepted = 0
        package var refused = 0
        package var cancelled = 0
        package var adjusted = 0
        package var deadLetters = 0
        package var replays = 0
        package var batches = 0
        package var epochs = 0

        mutating func add(_ batch: Tally) {
            batches += 1
            accepted += batch.accepted
            refused += batch.refused.values.reduce(0, +)
            cancelled += batch.cancelled.values.reduce(0, +)
            adjusted += batch.adjusted
            deadLetters += batch.deadLetters.values.reduce(0, +)
            replays += batch.replays
        }
    }

    /// Called when the consumer is ready, with its epoch and seq.
    private let onReady: @Sendable (Int64, Int64) -> Void

    package init(
        settings: ConsumerSettings, ledger: LedgerDatabase, counters: CounterStore, redis: RedisClient,
        reading: RedisClient, lock: ProcessLock, stop: StopSignal, logger: Logger,
        metrics: ConsumerMetrics, onReady: @escaping @Sendable (Int64, Int64) -> Void
    ) {
        self.settings = settings
        trimPolicy = TrimPolicy(settings)
        queue = BatchQueue(settings.batchLimits)
        self.ledger = ledger
        self.counters = counters
        self.redis = redis
        self.stop = stop
        self.lock = lock
        self.logger = logger
        self.metrics = metrics
        self.onReady = onReady
        reader = StreamReader(
            client: reading, keys: counters.keys, consumer: settings.consumer, maximumCount: settings.slice)
        (events, post) = AsyncStream.makeStream(of: Event.self)
    }

    /// Consumes until a stop is requested (nothing more is read, what is in memory is finished), or nothing is left
    /// (`untilIdle`). Throws when going on would be wrong.
    package func run() async throws {
        stop.whenRequested { [post] in post.yield(.stop) }
        let clocks = [
            ring(.watch, every: ConsumerSettings.watchInterval), ring(.trim, every: ConsumerSettings.trimInterval),
        ]
        defer {
            for clock in clocks { clock.cancel() }
            metrics.isActive(false)
        }
        do {
            if let poison = EntryKey(note: lock.previousNote) {
                try await untilLedgerAnswers { [ledger] in try await ledger.noteAttempt(poison) }
            }
            lock.note("")
            try await checkServer()
            // Before the epoch is installed: a loss that takes the epoch with it then ends reading, too.
            try await untilRedisAnswers("connecting", doubtIsHarmless: true) { [reader] in try await reader.connect() }
            try await openEpoch(EpochNeeded(reason: "start", isOutage: true))
            metrics.isActive(true)
            onReady(epoch, seq)
            readNext()
            for await event in events {
                do {
                    try await handle(event)
                    advance()
                } catch let needed as EpochNeeded {
                    try await recover(needed)
                }
                if isFinished { break }
            }
        } catch is StopSignal.Stopped {
            // Redis or the ledger was away when the stop came: what is not finished stays pending.
            if !isMemoryEmpty { logger.warning("stopped with messages unfinished; they stay pending") }
        } catch {
            // Ends what waits for Redis or the disk, or the lock would be held for as long as they are away.
            stop.request()
            await endTasks()
            throw error
        }
        await endTasks()
    }

    /// Stops it with an error that was found beside it.
    nonisolated func fail(_ error: LedgerError) { post.yield(.failed(error)) }

    /// Waits for what is under way: the lock is free only when nothing of this process writes any more.
    private func endTasks() async {
        readTask?.cancel()
        _ = await deciding?.task.result
        _ = await recording?.task.result
        _ = await settleTask?.task.result
    }

    /// Nothing more will be read, and everything in memory is settled.
    private var isFinished: Bool {
        (stop.isRequested || isIdle) && readTask == nil && isMemoryEmpty
    }

    /// Nothing waits to be decided, or is.
    var isQueueEmpty: Bool { undecoded.isEmpty && queue.isEmpty }

    private var isMemoryEmpty: Bool {
        isQueueEmpty && decided == nil && recording == nil && settling.isEmpty
    }

    private func ring(_ event: Event, every interval: Duration) -> Task<Void, Never> {
        Task { [post] in
            while !Task.isCancelled {
                post.yield(event)
                try? await Task.sleep(for: interval)
            }
        }
    }

    // MARK: - Events

    private func handle(_ event: Event) async throws {
        switch event {
        case .read(.success(let delivery)):
            endReadTask()
            readBackoff = Backoff()
            try await take(delivery)
        case .reconnected:
            endReadTask()
            await lookWhetherOneServer()
            readFailed = false
            (claimWanted, isAcknowledgingSuspended) = (false, false)
            // What was sent over a connection that is gone may still arrive, and Redis, if it has lost its tail, gives ids
            // again that are named in it. An epoch fences all of that, before anything is read under those ids.
            if hasLostData || redis.generation != epochConnection {
                hasLostData = false
                throw EpochNeeded(reason: "reading failed, and Redis may have lost data", isOutage: true)
            }
        case .read(.failure(let error)):
            endReadTask()
            try endRead(error)
        case .decoded(let entries):
            undecoded.finish()
            queue.append(entries)
        case .decided(let batch):
            if deciding?.batch == batch { try await finishDeciding() }
        case .recorded(let batch):
            if recording?.number == batch { try await finishRecording() }
        case .settled(let batch):
            if settling.first?.batch == batch { try await finishSettling() }
        case .watch:
            // Rings that came while something else was waited for, for hours perhaps, are one.
            guard ContinuousClock.now - lastWatch >= ConsumerSettings.watchInterval / 2 else { return }
            lastWatch = ContinuousClock.now
            isWatchDue = true
        case .trim:
            guard ContinuousClock.now - lastTrim >= ConsumerSettings.trimInterval / 2 else { return }
            lastTrim = ContinuousClock.now
            await trim()
            await lookForLostMessages()
            await removeIdleConsumers()
        case .stop:
            // Cut off, a read could take entries with it that nobody settles.
            if readTask != nil { Task { [reader, redis] in await reader.endWait(over: redis) } }
        case .failed(let error): throw error
        }
        // While the gate decides, Redis may be further than we know.
        if isWatchDue, deciding == nil {
            isWatchDue = false
            try await watch()
        }
    }

    /// Moves every batch as far as it can go now.
    func advance() {
        startSettling()
        startRecording()
        decodeNext()
        startDeciding()
        metrics.readAhead(queue.count + undecoded.count)
        readNext()
    }

    // MARK: - Read

    private func readNext() {
        // As many as two batches may have, one of which is being decided, but for one read.
        guard readTask == nil, queue.count + undecoded.count < 2 * settings.batchOrders,
            queue.bytes + undecoded.bytes < settings.queueBytes, !stop.isRequested, !isIdle
        else { return }
        // What comes while a batch is decided is read together when it is; nobody waits for it sooner. Only a backlog is
        // read all the while.
        if deciding != nil, !isBehind { return }
        if readFailed || claimWanted, !isMemoryEmpty { return }
        if readFailed { return reconnect() }
        Failpoint.readBefore.pass()
        let claims = claimWanted
        if claims { (claimWanted, isAcknowledgingSuspended) = (false, false) }
        readStart = .now
        // Until idle, an empty stream is the end: no reason to wait for more.
        let block = settings.untilIdle ? Duration.milliseconds(20) : settings.block
        readTask = Task { [reader, post] in
            do {
                if claims { await reader.startOver() }
                let delivery = try await reader.next(block: block)
                Failpoint.readAfter.pass()
                post.yield(.read(.success(delivery)))
            } catch {
                post.yield(.read(.failure(error)))
            }
        }
    }

    private func endReadTask() { (readTask, readStart) = (nil, nil) }

    /// Nothing that is in memory is acknowledged: it is claimed, found as known, and acknowledged then.
    func suspendAcknowledging() { (claimWanted, isAcknowledgingSuspended) = (true, true) }

    private func reconnect() {
        let delay = readBackoff.delay()
        readTask = Task { [reader, redis, post, stop] in
            do {
                try await stop.pause(delay)
                try await reader.connect()
                // The other connection may have broken together with this one, unnoticed.
                _ = try await redis.send(RedisCommand("PING"))
                post.yield(.reconnected)
            } catch {
                post.yield(.read(.failure(error)))
            }
        }
    }

    private func take(_ delivery: Delivery) async throws {
        if !delivery.lost.isEmpty {
            logger.warning(
                "pending messages are gone from the stream: something trimmed or deleted them",
                metadata: ["count": "\(delivery.lost.count)", "first": "\(delivery.lost[0])"])
        }
        isBehind = delivery.isFull
        if !delivery.entries.isEmpty { undecoded.append(delivery.entries) }
        // With nothing in memory nothing should be pending; what is was delivered to a connection that is gone.
        guard delivery.isEmptyRead, isMemoryEmpty else { return }
        do {
            if try await PendingSummary.read(counters.keys, redis).count > 0 {
                claimWanted = true
            } else if settings.untilIdle {
                isIdle = try await !publishReplays()
                if isIdle { await lookForLostMessages() }
            }
        } catch {
            try endRead(error)
        }
    }

    /// Has all that is pending claimed as soon as memory is empty.
    func claimPending() { claimWanted = true }

    /// Decodes one delivery at a time, in a task of its own: meanwhile the next one is read, and an earlier one decided.
    private func decodeNext() {
        // A poison message is decoded with nothing else being decoded, so that it alone is to blame.
        guard queue.poison == nil, let entries = undecoded.next() else { return }
        Task { [post] in post.yield(.decoded(EntryDecoder.decode(entries))) }
    }

    private func endRead(_ error: any Error) throws {
        readFailed = true
        if error is StopSignal.Stopped || error is CancellationError { return }
        if case RedisError.reply(let reply, _) = error, ["NOGROUP", "UNBLOCKED"].contains(reply.code),
            !reply.isNotThePrimary
        {
            hasLostData = true
            logger.error(
                "the stream or its group is gone: Redis has lost data", metadata: ["error": "\(reply.message)"])
            return
        }
        switch RedisTrouble(error) {
        case .fatal: throw error
        // Connections that cannot be made are in the log already.
        case .wait where !RedisTrouble.isReply(error): break
        case .wait, .doubt: logger.warning("reading failed; trying again", metadata: ["error": "\(error)"])
        }
    }
}
