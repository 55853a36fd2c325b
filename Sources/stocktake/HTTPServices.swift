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

/// What a process serves over HTTP.
struct HTTPServices {
    private let settings: Settings
    private let logger: Logger
    private let registry: PrometheusRegistry
    /// Of both servers.
    private let unread: UnreadBytes

    /// Has all metrics of the process kept from now on: make it before whatever counts something, and once.
    init(_ settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
        registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        unread = UnreadBytes(limit: settings.http.bufferBytes)
    }

    /// Both servers, in the order of their starts: what they read from, the servers, and the live figures, which have
    /// to end before the server whose answers they are.
    /// - Parameter decides: whether the process is a consumer, too: then the operator's `/readyz` is about deciding.
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

    /// The operator's server alone, for a process that consumes and has no public server.
    func operatorOnly() async throws -> [any Service] {
        let (monitor, sources) = try await monitor { 0 }
        return [sources, operatorServer(monitor) { await monitor.health() }]
    }

    // MARK: - Parts

    /// What the consumer has found, which may have ended since.
    private var knownDamage: @Sendable () async -> String? {
        { [lease = settings.ledger.lease] in await lease.soundness()?.damage }
    }

    private func openLedger() async throws -> any LedgerReader {
        // Waited for, as the consumer waits: a full disk at its start must not end the process.
        try await Retrier(stop: StopSignal(), logger: logger).ledger { [settings] in
            try await settings.ledger.openReader(settings.store)
        }
    }

    /// One for each thread that serves, so that a read wakes no other.
    private func clients() -> [RedisClient] {
        var options = settings.redisOptions
        // An HTTP client is better asked to come back than kept waiting.
        options.commandTimeout = .seconds(1)
        options.connectTimeout = .seconds(1)
        return RedisClient.onEachEventLoop(url: settings.redis, options: options, logger: logger)
    }

    /// With separate connections: a look at a Redis that hangs must not end the reads of others, nor a comparison of
    /// all counters keep them waiting for the ledger.
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
                // The gauges of the store are those of this look.
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

    /// An address to open: "every address" is none.
    private static func url(_ host: String, _ port: Int) -> String {
        let host = anyAddresses[host] ?? host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func note(_ host: String) -> String {
        anyAddresses[host] == nil ? "" : " (and every other address of this machine)"
    }

    /// Addresses that stand for all, each with the loopback address that reaches this machine from itself.
    private static let anyAddresses = ["0.0.0.0": "127.0.0.1", "::": "::1"]
}

extension StoreMonitor {
    fileprivate func health() async -> HealthReport {
        let readiness = await readiness()
        return HealthReport(trouble: readiness.detail, checks: readiness.checks)
    }
}

/// Closes what others use, once they have ended: it has to be started before them.
private struct Closing: Service {
    let close: @Sendable () async -> Void

    func run() async throws {
        try? await gracefulShutdown()
        await close()
    }
}

/// Every connection is an open file, of which a process may have as few as 1,024 until it asks for more.
private func raiseFileLimit(to connections: Int) {
    /// For the ledger, Redis and the libraries.
    let others: rlim_t = 128
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let wanted = min(rlim_t(connections) + others, limit.rlim_max)
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
