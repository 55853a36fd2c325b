import Concurrency
import Counters
import Domain
import Ledger
import Metrics
import Reconciliation
import RedisClient
import RedisLayout

/// Takes a snapshot of a store on request, and reports its state. Does nothing without a request.
///
/// Requests at about the same time share one snapshot: however many there are, Redis and the ledger are queried about
/// once a second. No call throws; a call takes no longer than `Limits.redis` and a read of the ledger.
package actor StoreMonitor {
    package struct Limits: Sendable {
        /// For how long a snapshot is used again.
        package var freshness = Duration.seconds(1)
        /// How long Redis may take to answer all queries of one snapshot.
        package var redis = Duration.seconds(2)
        /// The shortest time between two comparisons of counters and ledger: each reads all of them.
        package var driftInterval = Duration.seconds(30)
        /// The same, after they could not be compared.
        package var driftRetry = Duration.seconds(5)
        /// How long a status waits for a comparison in progress.
        package var driftMoment = Duration.milliseconds(100)
        /// How long an active consumer may take to bring counters and ledger to one state.
        package var driftPatience = Duration.seconds(2)

        package init() {}
    }

    private let ledger: any LedgerQueries & LedgerAudit
    private let redis: RedisClient
    private let keys: StoreKeys
    private let lease: any LeaseRegister
    private let version: String
    private let limits: Limits
    private let subscribers: @Sendable () -> Int
    private var gauges: StoreGauges

    private var latest: (snapshot: StoreSnapshot, endedAt: ContinuousClock.Instant)?
    private var underWay: Task<StoreSnapshot, Never>?

    private var waitingTime = WaitingTime()
    private var isEnded = false

    private var drift: StoreStatus.Drift?
    private var nextComparison = ContinuousClock.now
    /// The stream ends when the comparison has ended.
    private var comparison: (task: Task<Void, Never>, end: AsyncStream<Never>)?

    /// - Parameters:
    ///   - ledger: preferably a separate one, as the reads of one ledger are serialized.
    ///   - redis: preferably a separate client. A snapshot that takes too long leaves commands unanswered on it, which
    ///     time out and close its connection for all its users.
    ///   - version: the program's version.
    ///   - metrics: where gauges go; nil: the process' factory.
    ///   - subscribers: how many clients follow availability, asked at each status.
    package init(
        ledger: any LedgerQueries & LedgerAudit, lease: any LeaseRegister, redis: RedisClient, version: String,
        limits: Limits = Limits(),
        metrics: (any MetricsFactory)? = nil, subscribers: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.ledger = ledger
        self.redis = redis
        self.version = version
        self.limits = limits
        self.subscribers = subscribers
        keys = StoreKeys(store: ledger.store)
        self.lease = lease
        gauges = StoreGauges(metrics ?? MetricsSystem.factory, version: version)
    }

    /// The state of the store; its gauges are updated with it.
    package func status() async -> StoreStatus {
        compareIfDue()
        let snapshot = await snapshot()
        await waitForComparison()
        return status(snapshot)
    }

    /// Whether orders are decided.
    package func readiness() async -> Readiness {
        await snapshot().readiness
    }

    /// Ends work in progress; from then on nothing is read, and readiness fails. Must be called before the ledger is
    /// closed.
    package func end() async {
        isEnded = true
        comparison?.task.cancel()
        await comparison?.task.value
        _ = await underWay?.value
    }

    // MARK: Looking

    private func snapshot() async -> StoreSnapshot {
        if isEnded { return .ended(identity: ledger.identity) }
        if let underWay { return await underWay.value }
        if let latest, ContinuousClock.now - latest.endedAt < limits.freshness { return latest.snapshot }
        // A separate task: the first caller may be cancelled while others still wait for it.
        let task = Task { await capture() }
        underWay = task
        return await task.value
    }

    private func capture() async -> StoreSnapshot {
        let capturedAt = Timestamp.now()
        // Reads the ledger both before and after Redis: whether the counters are behind shows only against what the
        // ledger had before they were read, whether they are ahead only against what it has afterwards.
        let watermark = try? await ledger.watermark()
        let redis = await RedisSnapshot.capture(keys, redis, within: limits.redis)
        let consumer = await lease.state()
        let waiting = waitingTime.look(
            [redis.unread, redis.pending], redisTime: redis.time ?? SystemClock.milliseconds(), at: .now)
        let snapshot = StoreSnapshot(
            capturedAt: capturedAt, identity: ledger.identity, watermark: watermark, redis: redis,
            ledger: await LedgerSnapshot.capture(ledger, lease),
            isConsumerActive: consumer.isHeld, consumerProcess: consumer.isHeld ? consumer.process : nil,
            oldestWaiting: waiting)
        gauges.record(snapshot)
        latest = (snapshot, .now)
        underWay = nil
        return snapshot
    }

    private func status(_ snapshot: StoreSnapshot) -> StoreStatus {
        let (redis, statistics) = (snapshot.redis, snapshot.ledger.statistics)
        return StoreStatus(
            store: ledger.store, version: version, asOf: snapshot.capturedAt, epoch: statistics?.head.epoch,
            seq: statistics?.head.seq, settled: redis.counters?.settled, recorded: statistics?.head.messages,
            unannounced: snapshot.unannounced,
            redis: .init(
                isWell: snapshot.isRedisWell, url: self.redis.url.redacted, version: redis.version,
                usedMemory: redis.usedMemory, detail: snapshot.redisDetail),
            ledger: .init(
                isWell: snapshot.ledger.detail == nil, path: ledger.name, bytes: snapshot.ledger.condition.bytes,
                logBytes: snapshot.ledger.condition.logBytes, soundness: snapshot.ledger.soundness,
                detail: snapshot.ledger.detail ?? snapshot.ledger.condition.notice),
            isConsumerActive: snapshot.isConsumerActive, consumerProcess: snapshot.consumerProcess,
            backlog: redis.unread.flatMap { $0.isLowerBound ? nil : $0.count }, pending: redis.pending?.count,
            oldestWaiting: snapshot.oldestWaiting, orders: statistics?.orders, refundsDue: statistics?.refunds,
            deadLetters: statistics?.openDeadLetters, requestedReplays: statistics?.requestedReplays, drift: drift,
            subscribers: subscribers(), outcomes: redis.outcomes)
    }

    // MARK: Comparing

    private func compareIfDue() {
        guard !isEnded, comparison == nil, ContinuousClock.now >= nextComparison else { return }
        let (end, ended) = AsyncStream.makeStream(of: Never.self)
        let task = Task {
            finishComparison(await compare())
            ended.finish()
        }
        comparison = (task, end)
    }

    /// Only what two comparisons agree on is drift, as for the periodic reconciler.
    private func compare() async -> StoreStatus.Drift {
        let isActive = await lease.state().isHeld
        var reconciler = Reconciler(
            ledger: ledger, counters: CounterReader(keys: keys, client: redis), redis: redis.url.redacted)
        reconciler.patience = isActive ? limits.driftPatience : .zero
        do {
            var report = try await reconciler.drift()
            if !report.isClean { report = try await reconciler.drift().agreed(with: report) }
            return .counters(report.drift.count, comparedAt: Timestamp.now())
        } catch {
            return .unknown("\(error)")
        }
    }

    private func finishComparison(_ found: StoreStatus.Drift) {
        drift = found
        comparison = nil
        switch found {
        case .counters(let counters, _):
            gauges.record(drifting: counters)
            nextComparison = .now + limits.driftInterval
        case .unknown:
            gauges.record(drifting: nil)
            nextComparison = .now + limits.driftRetry
        }
    }

    private func waitForComparison() async {
        guard let end = comparison?.end else { return }
        _ = try? await within(limits.driftMoment, CancellationError()) { for await _ in end {} }
    }
}
