import Concurrency
import Counters
import Domain
import Ledger
import Metrics
import Reconciliation
import RedisClient
import RedisLayout

/// Reports the state of a store from snapshots, which it takes only on request.
///
/// Requests at about the same time share one snapshot: however many there are, Redis and the ledger are queried about
/// once a second. No call throws. A call takes no longer than `Limits.redis`, `Limits.driftMoment` and a read of the
/// ledger.
package actor StoreMonitor {
    package struct Limits: Sendable {
        /// How long a snapshot is reused.
        package var freshness = Duration.seconds(1)
        /// How long Redis may take to reply to all queries of one snapshot.
        package var redis = Duration.seconds(2)
        /// The shortest time between two comparisons of counters and ledger, each of which reads all counters.
        package var driftInterval = Duration.seconds(30)
        /// The shortest time until the next comparison after a failed one.
        package var driftRetry = Duration.seconds(5)
        /// How long a status waits for a comparison in progress.
        package var driftMoment = Duration.milliseconds(100)
        /// How long an active consumer may take to bring counters and ledger to the same state.
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
    private var inProgress: Task<StoreSnapshot, Never>?

    private var waitingTime = WaitingTime()
    private var isEnded = false

    private var drift: StoreStatus.Drift?
    private var nextComparison = ContinuousClock.now
    /// `end` finishes when the comparison has ended.
    private var comparison: (task: Task<Void, Never>, end: AsyncStream<Never>)?

    /// - Parameters:
    ///   - ledger: preferably a dedicated instance, because the reads of one ledger are serialised.
    ///   - redis: preferably a dedicated client. A snapshot that takes too long leaves commands pending on it, which
    ///     time out and close its connection for all its users.
    ///   - version: the program's version.
    ///   - metrics: the factory for the gauges; the process's factory if `nil`.
    ///   - subscribers: returns how many clients follow availability; called for each status.
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

    /// Returns the state of the store. The gauges are updated with it.
    package func status() async -> StoreStatus {
        compareIfDue()
        let snapshot = await snapshot()
        await waitForComparison()
        return status(snapshot)
    }

    /// Returns whether orders are being decided.
    package func readiness() async -> Readiness {
        await snapshot().readiness
    }

    /// Ends work in progress. From then on nothing is read, and readiness fails. Must be called before the ledger is
    /// closed.
    package func end() async {
        isEnded = true
        comparison?.task.cancel()
        await comparison?.task.value
        _ = await inProgress?.value
    }

    // MARK: Snapshots

    private func snapshot() async -> StoreSnapshot {
        if isEnded { return .ended(identity: ledger.identity) }
        if let inProgress { return await inProgress.value }
        if let latest, ContinuousClock.now - latest.endedAt < limits.freshness { return latest.snapshot }
        // A separate task, because the first caller may be cancelled while others still wait for the snapshot.
        let task = Task { await capture() }
        inProgress = task
        return await task.value
    }

    private func capture() async -> StoreSnapshot {
        let capturedAt = Timestamp.now()
        // The ledger is read both before and after Redis. Only its state before the counters were read can show that
        // they are behind, and only its state afterwards that they are ahead.
        let watermark = try? await ledger.watermark()
        let redis = await RedisSnapshot.capture(keys, redis, within: limits.redis)
        let consumer = await lease.state()
        let waiting = waitingTime.check(
            [redis.unread, redis.pending], redisTime: redis.time ?? SystemClock.milliseconds(), at: .now)
        let snapshot = StoreSnapshot(
            capturedAt: capturedAt, identity: ledger.identity, watermark: watermark, redis: redis,
            ledger: await LedgerSnapshot.capture(ledger, lease),
            isConsumerActive: consumer.isHeld, consumerProcess: consumer.isHeld ? consumer.process : nil,
            oldestWaiting: waiting)
        gauges.record(snapshot)
        latest = (snapshot, .now)
        inProgress = nil
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

    // MARK: Comparisons

    private func compareIfDue() {
        guard !isEnded, comparison == nil, ContinuousClock.now >= nextComparison else { return }
        let (end, ended) = AsyncStream.makeStream(of: Never.self)
        let task = Task {
            finishComparison(await compare())
            ended.finish()
        }
        comparison = (task, end)
    }

    /// Counts only drift that two comparisons agree on, like `PeriodicReconciler`.
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
