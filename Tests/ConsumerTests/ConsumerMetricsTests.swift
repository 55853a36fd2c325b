import Concurrency
import Consumer
import Domain
import Ledger
import RedisLayout
import SQLiteLedger
import MetricsTestKit
import TestSupport
import Testing

/// A consumer's metrics count everything exactly once.
@Suite struct ConsumerMetricsTests {
    private static func order(_ id: String, _ product: String, _ units: Int) -> (String, String) {
        (
            "checkout.completed",
            #"{"order_id":"\#(id)","items":[{"product_id":"\#(product)","quantity":\#(units),"unit_price":1}]}"#
        )
    }

    private static let messages = [
        order("a", "lamp", 3), order("b", "lamp", 3), order("c", "lamp", 2), order("d", "lamp", 1),
        order("a", "lamp", 3),
        order("e", "nothing", 1), ("order.returned", "{}"),
        ("order.cancelled", #"{"cancellation_id":"x","order_id":"c"}"#),
        ("stock.adjusted", #"{"adjustment_id":"y","product_id":"lamp","sold":1,"reason":"broken"}"#),
    ]

    private func run(_ path: String, _ server: TestRedisServer, _ metrics: TestMetrics, until stop: StopSignal? = nil)
        async throws
    {
        var settings = ConsumerSettings()
        settings.untilIdle = stop == nil
        settings.block = .milliseconds(50)
        var service = ConsumerService(
            settings: settings, ledger: SQLiteLedgerLocation(path: path), store: "main", redisURL: server.url,
            logger: silentLogger
        ) { _ in }
        service.metrics = metrics
        try await service.run(until: stop ?? StopSignal())
    }

    @Test("Trimmed messages and failures to trim are counted, and a full Redis is shown")
    func trimming() async throws {
        try await withRedisServer { server async throws in
            try await withTemporaryFolder { folder async throws in
                let path = folder.path(of: "ledger.db")
                try await LedgerDatabase.create(at: path, store: "main")
                let stream = StoreKeys(store: "main").checkouts
                try await server.command("XGROUP", "CREATE", stream, StoreKeys.group, "0", "MKSTREAM")
                try await server.command("ACL", "SETUSER", "default", "-xtrim")
                let (metrics, stop) = (TestMetrics(), StopSignal())
                let consumer = Task { try await run(path, server, metrics, until: stop) }
                func value(_ counter: String) -> Int64 { (try? metrics.expectCounter(counter).totalValue) ?? 0 }
                try await eventually("a trimming that fails") { value("stocktake_trim_failures_total") > 0 }
                #expect(value("stocktake_trimmed_messages_total") == 0)
                try await server.command("ACL", "SETUSER", "default", "+xtrim")
                try await server.command("XADD", stream, "1-0", "type", "t", "payload", "{}")
                try await server.command("XADD", stream, "1-1", "type", "t", "payload", "{}")
                // Once per second while Redis is full.
                try await server.command("CONFIG", "SET", "maxmemory", "1")
                try await eventually("trimmed messages") { value("stocktake_trimmed_messages_total") == 2 }
                #expect(try metrics.expectGauge("stocktake_redis_full").lastValue == 1)
                try await server.command("CONFIG", "SET", "maxmemory", "0")
                try await eventually("room") { try metrics.expectGauge("stocktake_redis_full").lastValue == 0 }
                stop.request()
                try await consumer.value
            }
        }
    }

    @Test("Outcomes are counted by kind and reason, replays separately, and each stage is timed once per batch")
    func outcomes() async throws {
        try await withRedisServer { server async throws in
            try await withTemporaryFolder { folder async throws in
                let path = folder.path(of: "ledger.db")
                try await LedgerDatabase.create(at: path, store: "main")
                let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .tool)
                let lamp = Product(
                    id: "lamp", name: "n", category: "c", devStatus: 5, basePrice: 1, cap: 5)
                _ = try await ledger.sync(Catalogue(categories: ["c"], products: [lamp]))
                try ledger.close()
                for (type, payload) in Self.messages {
                    try await server.command(
                        "XADD", StoreKeys(store: "main").checkouts, "*", "type", type, "payload", payload)
                }
                let metrics = TestMetrics()
                try await run(path, server, metrics)
                func outcome(_ kind: String, _ reason: String = "") throws -> Int64 {
                    try metrics.expectCounter(
                        "stocktake_outcomes_total", [("outcome", kind), ("reason", reason)]
                    ).totalValue
                }
                // lamp: a 3, b refused, c 2, d sold out, c returned; then one more is sold.
                #expect(try outcome("accepted") == 2)
                #expect(try outcome("refused", "insufficient") == 1)
                #expect(try outcome("refused", "sold_out") == 1)
                #expect(try outcome("cancelled") == 1)
                #expect(try outcome("cancelled", "not_owned") == 0)
                #expect(try outcome("adjusted") == 1)
                #expect(try outcome("dead_letter", "unknown_product") == 1)
                #expect(try outcome("dead_letter", "unknown_type") == 1)
                #expect(try outcome("dead_letter", "wrong_type") == 0)
                #expect(metrics.counterTotal(label: "stocktake_outcomes_total") == 8)
                #expect(metrics.counterTotal(label: "stocktake_replays_total") == 1)
                #expect(metrics.counterTotal(label: "stocktake_lost_messages_total") == 0)
                let batches = try metrics.expectRecorder("stocktake_batch_messages").values
                #expect(batches.reduce(0, +) == Double(Self.messages.count))
                for stage in ["decide", "record", "settle"] {
                    let times = try metrics.expectTimer("stocktake_\(stage)_duration_seconds").values
                    #expect(times.count == batches.count && times.allSatisfy { $0 > 0 }, "\(stage): \(times)")
                }
                #expect(metrics.counterTotal(label: "stocktake_epochs_total") == 1)
                #expect(try metrics.expectGauge("stocktake_epoch").values == [1])
                #expect(try metrics.expectGauge("stocktake_seq").lastValue == 4)
                #expect(try metrics.expectGauge("stocktake_read_ahead_messages").lastValue == 0)
                #expect(try metrics.expectGauge("stocktake_consumer_active").values == [0, 1, 0])
            }
        }
    }

    @Test("A standby reports that it is not active, and a failing consumer that it no longer is")
    func active() async throws {
        try await withRedisServer { server async throws in
            try await withTemporaryFolder { folder async throws in
                let path = folder.path(of: "ledger.db")
                try await LedgerDatabase.create(at: path, store: "main")
                let (first, second) = (TestMetrics(), TestMetrics())
                let (stopFirst, stopSecond) = (StopSignal(), StopSignal())
                func values(_ metrics: TestMetrics) -> [Double] {
                    (try? metrics.expectGauge("stocktake_consumer_active").values) ?? []
                }
                let consuming = Task { try await run(path, server, first, until: stopFirst) }
                try await eventually("the consumer") { values(first) == [0, 1] }
                let standingBy = Task { try await run(path, server, second, until: stopSecond) }
                try await eventually("the standby") { values(second) == [0] }
                // The counters suddenly belong to another ledger: continuing would be wrong.
                try await server.command("HSET", StoreKeys(store: "main").stock, "ledger", "another")
                await #expect(throws: ConsumerError.self) { try await consuming.value }
                #expect(values(first) == [0, 1, 0])
                await #expect(throws: ConsumerError.self) { try await standingBy.value }
                #expect(values(second).last == 0)
            }
        }
    }
}
