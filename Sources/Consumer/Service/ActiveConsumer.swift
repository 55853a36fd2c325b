import Concurrency
import Ledger
import Logging

/// Runs the active consumer of a store, the only process that decides and records. Executes the actions that
/// `ConsumerStateMachine` requests, each in a separate task, and passes the results back as events.
package struct ActiveConsumer: Sendable {
    private let settings: ConsumerSettings
    private let ledger: any LedgerStore
    private let lease: any Lease
    private let retrier: Retrier
    private let clock: any TimeSource
    private let metrics: ConsumerMetrics
    private let stages: ConsumerStages
    /// Throws when the consumer must not continue.
    private let guarding: @Sendable () async throws -> Void
    /// Called when the consumer is ready, with its epoch and seq.
    private let onReady: @Sendable (Int64, Int64) -> Void

    package init(
        settings: ConsumerSettings, ledger: any LedgerStore, lease: any Lease, redis: ConsumerPorts, retrier: Retrier,
        metrics: ConsumerMetrics,
        guarding: @escaping @Sendable () async throws -> Void,
        onReady: @escaping @Sendable (Int64, Int64) -> Void
    ) {
        self.settings = settings
        self.ledger = ledger
        self.lease = lease
        self.retrier = retrier
        clock = retrier.stop.clock
        self.metrics = metrics
        self.guarding = guarding
        self.onReady = onReady
        stages = ConsumerStages(
            settings: settings, ledger: ledger, lease: lease, redis: redis, retrier: retrier, clock: clock,
            metrics: metrics)
    }

    /// Consumes until a stop is requested or, with `untilIdle`, until no messages are left. At a stop, it reads no more
    /// messages and finishes those in memory. Throws if it must not continue.
    ///
    /// When it returns or throws, this process no longer writes, and the lease may be released: any deciding, recording
    /// or acknowledging in progress has finished.
    /// - Throws: `ConsumerError`; `LedgerError`; `CountersError`; `RedisError` that is not transient; errors of
    ///   `guarding`; `CancellationError` if the task is cancelled.
    package func run() async throws -> ConsumerTotals {
        try await withTaskExecutorPreference(stages.tasks) { try await runHere() }
    }

    private func runHere() async throws -> ConsumerTotals {
        defer { metrics.isActive(false) }
        return try await withThrowingTaskGroup(of: ConsumerEvent?.self) { group in
            defer { group.cancelAll() }
            // However the consumer ends, all waits for Redis or the disk end, too. Otherwise the lease would be held
            // for as long as they are unavailable.
            defer { retrier.stop.request() }
            group.addTask { [guarding, stop = retrier.stop] in
                do {
                    try await guarding()
                } catch {
                    // Opening the first epoch may be waiting for Redis.
                    stop.request()
                    throw error
                }
                return nil
            }
            group.addTask { [stop = retrier.stop] in
                await stop.wait()
                guard stop.isRequested else { throw CancellationError() }
                return .stopRequested
            }
            var totals = ConsumerTotals()
            do {
                let epoch = try await begin()
                metrics.isActive(true)
                onReady(epoch.number, epoch.seq)
                totals = try await consume(from: epoch, &group)
            } catch is StopSignal.Stopped {
                // A stop was requested before the first epoch was open.
            }
            try await finish(&group)
            return totals
        }
    }

    /// Waits for writes in progress, and rethrows their errors even at a stop.
    private func finish(_ group: inout ThrowingTaskGroup<ConsumerEvent?, any Error>) async throws {
        retrier.stop.request()
        group.cancelAll()
        while let result = await group.nextResult() {
            guard case .failure(let error) = result else { continue }
            if !(error is StopSignal.Stopped), !(error is CancellationError) { throw error }
        }
    }

    /// Prepares the consumer before anything is decided: counts a crash on a poison message, checks the server,
    /// connects, and opens the first epoch.
    private func begin() async throws -> Epoch {
        if let poison = EntryIdentity(note: lease.previousNote) {
            try await retrier.ledger { [ledger] in try await ledger.noteAttempt(poison) }
        }
        await lease.note("")
        try await stages.server.check()
        // Connects before the epoch is installed, so that a data loss that removes the epoch also interrupts reading.
        try await stages.read.connectFirst()
        let request = EpochRequest(needed: EpochReason(.outage, "start"), catalogueBefore: nil, epochsInARow: 0)
        return try await withTaskExecutorPreference(stages.executor(for: .openEpoch(request))) {
            try await stages.epochs.open(request)
        }
    }

    private func consume(
        from epoch: Epoch, _ group: inout ThrowingTaskGroup<ConsumerEvent?, any Error>
    ) async throws -> ConsumerTotals {
        var machine = ConsumerStateMachine(settings, ledger: ledger.identity, epoch: epoch)
        var actions = machine.begin(at: clock.now)
        do {
            while true {
                for action in actions {
                    switch action {
                    case .finish: return machine.totals
                    case .giveUp(let needed): throw stages.epochs.noProgress(needed)
                    case .report(let report): stages.note(report)
                    default:
                        group.addTask(executorPreference: stages.executor(for: action)) { [stages] in
                            try await stages.perform(action)
                        }
                    }
                }
                metrics.readAhead(machine.readAhead)
                guard let event = try await group.next() else { return machine.totals }
                actions = event.map { machine.handle($0, at: clock.now) } ?? []
            }
        } catch is StopSignal.Stopped {
            // Redis or the ledger was unavailable when the stop was requested: unfinished messages stay pending.
            if !machine.isMemoryEmpty {
                retrier.logger.warning("stopped with messages unfinished; they stay pending")
            }
            return machine.totals
        }
    }
}
