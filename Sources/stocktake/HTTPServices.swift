import AvailabilityAPI
import Counters
import Glibc
import Ledger
import Logging
import RedisClient
import ServiceLifecycle

/// What serves availability over HTTP, in the order of its starts: what it reads from, the public server, and the live
/// figures, which have to end before the server does.
func httpServices(_ settings: Settings, logger: Logger) async throws -> [any Service] {
    raiseFileLimit(to: settings.http.listener.connections)
    let ledger = try await LedgerDatabase.open(at: settings.ledger, store: settings.store, for: .reader)
    var options = settings.redisOptions
    // Whoever asks over HTTP is better told to come back than kept waiting.
    options.commandTimeout = .seconds(1)
    let client = RedisClient(url: settings.redis, options: options, logger: logger)
    let readiness: @Sendable () async -> Readiness = { Readiness(isReady: true, checks: []) }
    let api = try await AvailabilityServices(
        ledger: ledger, counters: CounterReader(keys: settings.keys, client: client),
        fallsBackToLedger: settings.http.fallsBackToLedger, readiness: readiness, logger: logger)
    let server = api.publicServer(settings.http.listener, origins: settings.http.origins) { host, port in
        print("listening on http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }
    let sources = Closing {
        await client.close()
        try? ledger.close()
    }
    return [sources, server, api.liveFigures]
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
