import Concurrency
import Consumer
import Prometheus
import Domain
import Ledger
import RedisLayout
import SQLiteLedger
import Monitoring
import RedisClient
import StrictJSON
import TestSupport

/// A store whose messages a real consumer decides when the test says so, and a monitor that checks it.
struct MonitoringFixture: Sendable {
    let server: TestRedisServer
    let path: String
    /// Read-only, as in a serving process.
    let ledger: LedgerDatabase
    let client: RedisClient
    let registry = PrometheusRegistry()
    let keys = StoreKeys(store: "main")

    /// Checks again each time, and times out early on a Redis that hangs.
    static var eager: StoreMonitor.Limits {
        var limits = StoreMonitor.Limits()
        limits.freshness = .zero
        limits.driftInterval = .zero
        limits.driftRetry = .zero
        limits.redis = .seconds(1)
        return limits
    }

    func monitor(_ limits: StoreMonitor.Limits = eager) -> StoreMonitor {
        StoreMonitor(
            ledger: ledger, lease: place.lease, redis: client, version: "1.2.3", limits: limits, metrics: registry,
            subscribers: { 17 })
    }

    var place: SQLiteLedgerLocation { SQLiteLedgerLocation(path: path) }

    static let email = "dolores@example.com"
    static let name = "Dolores Example"

    /// An order with every field of its customer.
    static func order(_ id: String, _ product: String = "sheet", _ units: Int = 1) -> String {
        """
        {"order_id":"\(id)","customer":{"id":"cus_1","email":"\(email)","name":"\(name)"},\
        "items":[{"product_id":"\(product)","quantity":\(units),"unit_price":1}],\
        "shipping_address":{"name":"\(name)","line1":"1 Example Road"}}
        """
    }

    func publish(_ payloads: [String], type: String = "checkout.completed") async throws {
        for payload in payloads {
            try await server.command("XADD", keys.checkouts, "*", "type", type, "payload", payload)
        }
    }

    private func service(_ settings: ConsumerSettings) -> ConsumerService {
        var service = ConsumerService(
            settings: settings, ledger: place, store: "main", redisURL: server.url, logger: silentLogger
        ) { _ in }
        service.metrics = registry
        return service
    }

    /// Runs a consumer until nothing is left to do.
    func consume() async throws {
        var settings = ConsumerSettings()
        settings.untilIdle = true
        try await service(settings).run(until: StopSignal())
    }

    /// Runs `body` while a consumer runs.
    func withConsumer(_ body: () async throws -> Void) async throws {
        let stop = StopSignal()
        var settings = ConsumerSettings()
        settings.block = .milliseconds(50)
        let service = service(settings)
        let task = Task { try await service.run(until: stop) }
        do {
            try await body()
        } catch {
            stop.request()
            try await task.value
            throw error
        }
        stop.request()
        try await task.value
    }

    /// Waits until the monitor sees that the consumer has ended. This may take a moment: a child process that another
    /// test forks at that time holds the lock, too, until it calls exec.
    func withoutConsumer(_ monitor: StoreMonitor) async throws {
        try await eventually("no consumer") { await !monitor.status().isConsumerActive }
    }

    /// The samples of one name.
    func metric(_ name: String) -> String? {
        let text = String(decoding: registry.render(), as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }
}

func withMonitoring(
    isolation: isolated (any Actor)? = #isolation, _ body: (MonitoringFixture) async throws -> Void
) async throws {
    try await withRedisServer { server async throws in
        try await withTemporaryFolder { folder async throws in
            let path = folder.path(of: "ledger.db")
            try await LedgerDatabase.create(at: path, store: "main")
            let tool = try await LedgerDatabase.open(at: path, store: "main", for: .tool)
            let lamp = Product(id: "lamp", name: "n", category: "c", devStatus: 5, basePrice: 1, cap: 2)
            let sheet = Product(id: "sheet", name: "n", category: "c", devStatus: 5, basePrice: 1)
            _ = try await tool.sync(Catalogue(categories: ["c"], products: [lamp, sheet]))
            try tool.close()
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .reader)
            let fixture = MonitoringFixture(server: server, path: path, ledger: ledger, client: server.client())
            try await body(fixture)
            await fixture.client.close()
            try ledger.close()
        }
    }
}

extension StoreStatus {
    /// A member of the JSON, by its path.
    func json(_ path: String...) -> JSONValue? {
        var value = json
        for key in path {
            guard case .object(let object) = value, let next = object[key] else { return nil }
            value = next
        }
        return value
    }
}
