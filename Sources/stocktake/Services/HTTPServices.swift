import AvailabilityAPI
import Concurrency
import Consumer
import Counters
import Prometheus
import Glibc
import Ledger
import Logging
import Metrics
import Monitoring
import RedisClient
import ServiceLifecycle

/// Creates the services with which a process serves HTTP.
struct HTTPServices {
    private let settings: Settings
    private let logger: Logger
    private let registry: PrometheusRegistry
    /// Shared by both servers.
    private let unread: UnreadBytes

    /// Installs the registry for all metrics of the process: create one instance, before any code that creates metrics.
    init(_ settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
        registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        unread = UnreadBytes(limit: settings.http.bufferBytes)
    }

    /// Both servers and the services that they need, in start order: data sources, servers, live availability. Live
    /// availability must end before the public server, because it ends the server's event streams.
    /// - Parameter decides: whether the process is also a consumer: then the operator's `/readyz` reports on deciding.
    func all(decides: Bool) async throws -> [any Service] {
        raiseFileLimit(to: settings.http.listener.connections)
        let ledger = try await openLedger()
        let clients = clients()
        let subscribers = SubscriberCount()
        let (monitor, monitorSources) = try await monitor { subscribers.value }
        let api = try await AvailabilityServices(
            ledger: ledger, counters: clients.map { CounterReader(keys: settings.keys, client: $0) },
            fallsBackToLedger: settings.http.fallsBackToLedger, subscriberCount: subscribers, unread: unread,
            damage: knownDamage, logger: logger)
        let server = api.publicServer(settings.http.listener, origins: settings.http.origins) { host, port in
            say("listening on \(Self.url(host, port))\(Self.note(host))")
        }
        let sources = Closing {
            for client in clients { await client.close() }
            try? ledger.close()
        }
        let office = operatorServer(monitor) { decides ? await monitor.health() : await api.health() }
        return [sources, monitorSources, server, office, api.liveAvailability, api.ledgerWatch]
    }

    /// Only the operator's server, for a consumer without a public server.
    func operatorOnly() async throws -> [any Service] {
        let (monitor, sources) = try await monitor { 0 }
        return [sources, operatorServer(monitor) { await monitor.health() }]
    }

    // MARK: - Parts

    /// The damage to the ledger that a consumer has found; the consumer may have ended since.
    private var knownDamage: @Sendable () async -> String? {
        { [lease = settings.ledger.lease] in await lease.soundness()?.damage }
    }

    private func openLedger() async throws -> any LedgerReader {
        // Retried, as in the consumer: a disk that is full at the start must not end the process.
        try await Retrier(stop: StopSignal(), logger: logger).ledger { [settings] in
            try await settings.ledger.openReader(settings.store)
        }
    }

    /// One client for each event loop, so that a read does not wake another thread.
    private func clients() -> [RedisClient] {
        var options = settings.redisOptions
        // Fails early: an HTTP client should retry later rather than wait.
        options.commandTimeout = .seconds(1)
        options.connectTimeout = .seconds(1)
        return RedisClient.onEachEventLoop(url: settings.redis, options: options, logger: logger)
    }

    /// The monitor and its data sources. Its connections are separate: a check of a Redis that hangs must not fail
    /// other reads, and a comparison of all counters must not delay other reads of the ledger.
    private func monitor(subscribers: @escaping @Sendable () -> Int) async throws -> (StoreMonitor, Closing) {
        let ledger = try await openLedger()
        var quiet = logger
        quiet.logLevel = .critical
        let client = RedisClient(url: settings.redis, options: settings.redisOptions, logger: quiet)
        let monitor = StoreMonitor(
            ledger: ledger, lease: settings.ledger.lease, redis: client, version: Version.text, subscribers: subscribers
        )
        let sources = Closing {
            await monitor.end()
            await client.close()
            try? ledger.close()
        }
        return (monitor, sources)
    }

    private func operatorServer(
        _ monitor: StoreMonitor, health: @escaping @Sendable () async -> HealthReport
    ) -> APIService {
        let sources = OperatorSources(
            status: { await monitor.status().json },
            metrics: { [registry, unread] in
                // Sets the store's gauges to this status.
                _ = await monitor.status()
                unread.record()
                return (registry.render(), PrometheusRegistry.contentType)
            })
        return OperatorServer.service(
            settings.http.operatorListener, token: settings.http.operatorToken, sources: sources,
            unread: unread, health: health, logger: logger
        ) { host, port in
            say("operator page on \(Self.url(host, port))/operator\(Self.note(host))")
        }
    }

    /// The URL to open in a browser, which cannot open a wildcard address.
    private static func url(_ host: String, _ port: Int) -> String {
        let host = anyAddresses[host] ?? host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func note(_ host: String) -> String {
        anyAddresses[host] == nil ? "" : " (and every other address of this machine)"
    }

    /// Wildcard addresses, each with the loopback address that reaches this machine from itself.
    private static let anyAddresses = ["0.0.0.0": "127.0.0.1", "::": "::1"]
}

extension StoreMonitor {
    fileprivate func health() async -> HealthReport {
        let readiness = await readiness()
        return HealthReport(trouble: readiness.detail, checks: readiness.checks)
    }
}

/// Closes what other services use once they have ended. It must start before them.
private struct Closing: Service {
    let close: @Sendable () async -> Void

    func run() async throws {
        try? await gracefulShutdown()
        await close()
    }
}

/// Raises the limit of open files of this process, which may be as low as 1,024: every connection is one.
private func raiseFileLimit(to connections: Int) {
    /// Files of the ledger, Redis and the libraries.
    let others: rlim_t = 128
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let wanted = min(rlim_t(connections) + others, limit.rlim_max)
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
