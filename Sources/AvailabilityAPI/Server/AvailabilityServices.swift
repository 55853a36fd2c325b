import Counters
import Glibc
import Hummingbird
import HummingbirdCore
import Ledger
import Logging
import ServiceLifecycle
import StrictJSON

/// The API's components, wired together: the public server, live availability, and the watch on the ledger.
package struct AvailabilityServices: Sendable {
    private let live: LiveAvailability
    /// One for each event loop.
    private let readers: [AvailabilityReader]
    private let watch: LedgerWatch
    private let damage: @Sendable () async -> String?
    private let unread: UnreadBytes
    private let logger: Logger

    /// Reads the catalogue for the first time.
    /// - Parameters:
    ///   - counters: a reader for each event loop; at least one.
    ///   - fallsBackToLedger: whether the ledger is read when Redis fails.
    ///   - subscriberCount: updated with the number of subscribers.
    ///   - unread: the bytes buffered for clients that do not read.
    ///   - damage: the known damage of the ledger, without a path, because the text is public.
    /// - Throws: `LedgerError`.
    package init(
        ledger: any LedgerQueries, counters: [CounterReader], fallsBackToLedger: Bool,
        subscriberCount: SubscriberCount, unread: UnreadBytes, damage: @escaping @Sendable () async -> String?,
        logger: Logger
    ) async throws {
        let metrics = APIMetrics()
        let catalogue = try await CurrentCatalogue.read(from: ledger)
        let watch = try await LedgerWatch(ledger, logger: logger)
        readers = counters.map { counters in
            let source = AvailabilitySource(
                counters: counters, ledger: ledger, watch: watch, fallsBackToLedger: fallsBackToLedger, logger: logger)
            return AvailabilityReader(catalogue: catalogue, reads: CoalescingReader(source, metrics: metrics))
        }
        live = LiveAvailability(
            readers[0], metrics: metrics, subscriberCount: subscriberCount, unread: unread, logger: logger)
        self.watch = watch
        self.damage = damage
        self.unread = unread
        self.logger = logger
    }

    /// Sends live availability to subscribers. Must end before the public server, whose event streams end only with it.
    package var liveAvailability: any Service { live }

    /// Detects counters that are behind the ledger. Must end before the ledger is closed.
    package var ledgerWatch: any Service { watch }

    /// Whether every event loop can serve availability: from Redis, or from the ledger if the fallback is enabled.
    package func health() async -> HealthReport {
        var checks = JSONObject()
        var trouble: String?
        let damage = await damage()
        do {
            let versions = try await versions()
            let version = versions.first { $0.source == .ledger } ?? versions[0]
            if version.source == .ledger, damage != nil { trouble = "figures: from a ledger that is damaged" }
            checks.append(
                "figures", .string("from \(version.source.rawValue): epoch \(version.epoch), seq \(version.seq)"))
        } catch {
            let why = (error as? AvailabilityUnavailable)?.description ?? "availability cannot be read"
            trouble = "figures: \(why)"
            checks.append("figures", .string(why))
        }
        if watch.watermark == nil {
            checks.append("ledger", .string("it was replaced; restart this process"))
        } else if let damage {
            checks.append("ledger", .string("it is damaged: \(damage)"))
        }
        return HealthReport(trouble: trouble, checks: .object(checks))
    }

    /// The version of the snapshot that each event loop currently serves.
    private func versions() async throws -> [SnapshotVersion] {
        try await withThrowingTaskGroup(of: SnapshotVersion.self) { group in
            for reader in readers { group.addTask { try await reader.read { _ in [] }.snapshot.version } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    package func publicServer(
        _ settings: ListenerSettings, origins: AllowedOrigins,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void
    ) -> APIService {
        let health = HealthRoutes { await self.health() }
        let routes = PublicRoutes(reader: readers[0], live: live, health: health)
        let rules = ResponseRules(origins: origins, metrics: RequestMetrics(), logger: logger)
        // Probes and the page have small responses.
        let requireCapacity: @Sendable (_ route: String) throws -> Void = { [unread] route in
            guard route.hasPrefix("/v1/"), unread.isExceeded else { return }
            throw Problem.unavailable("too much data is buffered for slow clients")
        }
        let responder = RouteResponder(
            routes: { routes.route($0) }, admit: { _, route in if let route { try requireCapacity(route.name) } },
            rules: rules)
        return APIService(
            name: "http", settings: settings, responder: responder,
            availabilityRoutes: readers.map {
                AvailabilityRoutes(reader: $0, rules: rules, requireCapacity: requireCapacity)
            },
            unread: unread, logger: logger, onListening: onListening)
    }
}
