import Concurrency
import Counters
import Ingest
import Domain
import Ledger
import Logging
import Metrics
import RedisClient
import RedisLayout
import ServiceLifecycle

/// The consumer as a service of the process: stands by until the store's lease is free, then consumes until it is
/// stopped.
package struct ConsumerService: Service {
    /// A change of state, reported to the operator in one line.
    package enum Status: Sendable {
        case standingBy(holder: Int32?)
        case active(epoch: Int64, seq: Int64)
        case stopped(ConsumerTotals)
    }

    package var settings: ConsumerSettings
    package var ledger: any LedgerLocation
    package var store: String
    package var redisURL: RedisURL
    package var redisOptions: RedisOptions
    package var logger: Logger
    package var report: @Sendable (Status) -> Void
    /// The factory for its metrics; the process's factory if `nil`.
    package var metrics: (any MetricsFactory)?
    /// Runs alongside the active consumer, and is cancelled when the consumer ends.
    package var companion: (@Sendable () async -> Void)?

    package init(
        settings: ConsumerSettings, ledger: any LedgerLocation, store: String, redisURL: RedisURL,
        redisOptions: RedisOptions = .init(), logger: Logger, report: @escaping @Sendable (Status) -> Void
    ) {
        self.settings = settings
        self.ledger = ledger
        self.store = store
        self.redisURL = redisURL
        self.redisOptions = redisOptions
        self.logger = logger
        self.report = report
    }

    package func run() async throws {
        let stop = StopSignal()
        try await withGracefulShutdownHandler {
            try await run(until: stop)
        } onGracefulShutdown: {
            stop.request()
        }
    }

    /// Stands by, then consumes, until `stop` is requested.
    package func run(until stop: StopSignal) async throws {
        // Created before the lease is acquired: a standby exports metrics, too, and they show that it is a standby.
        let metrics = ConsumerMetrics(metrics)
        do {
            let lease = try await takeLease(until: stop)
            try await consume(lease, metrics, until: stop)
        } catch is StopSignal.Stopped {
            // A stop was requested while standing by.
        }
    }

    private func takeLease(until stop: StopSignal) async throws -> any Lease {
        var reported: Int32??
        while true {
            if let lease = try await ledger.lease.acquire() { return lease }
            let holder = await ledger.lease.state().process
            if reported != .some(holder) {
                reported = .some(holder)
                report(.standingBy(holder: holder))
            }
            try await stop.pause(ConsumerSettings.standbyInterval)
        }
    }

    private func consume(_ lease: any Lease, _ metrics: ConsumerMetrics, until stop: StopSignal) async throws {
        let watch = DamageWatch(ledger: ledger, lease: lease, stop: stop, logger: logger)
        do {
            // The ledger is opened only now: if a standby opened it earlier, it could be replaced before the takeover.
            let opened = try await Retrier(stop: stop, logger: logger).ledger {
                try await ledger.openStore(store)
            }
            let isRead: Bool
            do {
                isRead = try await watch.beforeSelling()
            } catch {
                try? opened.close()
                throw error
            }
            try await consume(opened, lease, metrics, until: stop) { await watch.run(isRead: isRead) }
        } catch {
            await watch.note(error)
            throw error
        }
    }

    private func consume(
        _ ledger: any LedgerStore, _ lease: any Lease, _ metrics: ConsumerMetrics, until stop: StopSignal,
        findDamage: @escaping @Sendable () async -> (any LedgerError)?
    ) async throws {
        let redis = ConsumerPorts(
            redisURL, redisOptions, keys: StoreKeys(store: store), ledger: ledger.identity, settings: settings,
            logger: logger)
        // A Redis that hangs must not delay the shutdown.
        stop.whenRequested {
            Task {
                try? await stop.clock.sleep(for: ConsumerSettings.stopGrace)
                await redis.close()
            }
        }
        let consumer = ActiveConsumer(
            settings: settings, ledger: ledger, lease: lease, redis: redis,
            retrier: Retrier(stop: stop, logger: logger), metrics: metrics,
            guarding: { if let damage = await findDamage() { throw damage } },
            onReady: { epoch, seq in report(.active(epoch: epoch, seq: seq)) })
        let companionship = companion.map { companion in Task { await companion() } }
        func end() async {
            companionship?.cancel()
            await companionship?.value
            await redis.close()
            // If closing fails, the next open completes the remaining work.
            try? ledger.close()
        }
        let totals: ConsumerTotals
        do {
            totals = try await consumer.run()
        } catch {
            await end()
            throw error
        }
        await end()
        report(.stopped(totals))
    }
}
