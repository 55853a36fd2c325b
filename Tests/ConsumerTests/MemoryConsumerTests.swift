import Concurrency
import Counters
import Foundation
import Ingest
import Domain
import Ledger
import MemoryRedis
import Randomness
import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Consumer
@testable import MemoryLedger

/// A store in memory: a ledger, a Redis, and consumers that run as in a process.
private struct MemoryShop {
    let place = MemoryLedgerLocation()
    let redis: MemoryRedis

    init(_ fault: @escaping @Sendable (String) -> MemoryRedis.Fault? = { _ in nil }) async throws {
        redis = MemoryRedis(fault: fault)
        try await place.create(store: "main")
        let admin = try await place.openAdmin("main")
        func product(_ id: Identifier, cap: Int64, _ variants: [Variant] = []) -> Product {
            Product(id: id, name: "n", category: "c", devStatus: 5, basePrice: 1, cap: cap, variants: variants)
        }
        let variants = [Variant(id: "black", name: "n", cap: 25), Variant(id: "white", name: "n")]
        _ = try await admin.sync(
            Catalogue(categories: ["c"], products: [product("cube", cap: 40, variants), product("lamp", cap: 30)]))
        try admin.close()
    }

    func publish(_ stream: [StreamEntry]) {
        for entry in stream {
            let fields = StreamEntry.fields(type: entry.type?.copy, payload: entry.payload?.copy)
            _ = redis.withTables { $0.publish(fields, at: 1_700_000_000_000) }
        }
    }

    /// Consumes until nothing is unread or pending.
    @discardableResult
    func consume(batchOrders: Int = 2_048) async throws -> ConsumerTotals {
        var settings = ConsumerSettings()
        settings.untilIdle = true
        settings.batchOrders = batchOrders
        let lease = try await place.takeLease(for: "consuming")
        defer { withExtendedLifetime(lease) {} }
        let ledger = try await place.openStore("main")
        defer { try? ledger.close() }
        let connection = MemoryRedisConnection(redis, ledger: ledger.identity, maximumCount: 16)
        let consumer = ActiveConsumer(
            settings: settings, ledger: ledger, lease: lease,
            redis: ConsumerPorts(gate: connection, upkeep: connection, source: connection, publisher: connection),
            retrier: Retrier(stop: StopSignal(clock: ImpatientClock()), logger: silentLogger),
            metrics: ConsumerMetrics(), guarding: {}, onReady: { _, _ in })
        return try await consumer.run()
    }

    func reader() async throws -> any LedgerReader { try await place.openReader("main") }

    /// The result of each command, and the sold units.
    func results() async throws -> (decisions: [Command.Key: String], sold: [CounterName: Int64], letters: Int) {
        try place.open("main").read { tables in
            let decisions = tables.decisions.mapValues { prior in
                let outcome = prior.outcome.outcome
                return "\(outcome.kind.rawValue) \(outcome.reason) \(outcome.units ?? 0) \(outcome.seq ?? 0)"
            }
            return (decisions, tables.balances.mapValues(\.sold), tables.deadLetters.count)
        }
    }

    func expectConsistent(_ comment: Comment) async throws {
        let ledger = try await reader()
        #expect(try await ledger.check().isSound, comment)
        let head = try await ledger.head()
        let sold = try await results().sold
        redis.withTables { tables in
            #expect(tables.counters?.sold == sold, comment)
            #expect(tables.counters?.head.seq == head.seq && tables.counters?.head.recorded == head.messages, comment)
            #expect(!tables.hasUnread, comment)
        }
        try ledger.close()
    }
}

/// A clock whose seconds last a millisecond, so that waits are short.
private struct ImpatientClock: TimeSource {
    var now: ContinuousClock.Instant { .now }
    var milliseconds: Int64 { SystemClock.milliseconds() }

    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration / 1_000) }
}

/// Tests the whole consumer, its tasks included, with everything else in memory.
@Suite struct MemoryConsumerTests {
    private static func entries(_ seed: UInt64, _ count: Int) -> [StreamEntry] {
        var generator = SeededGenerator(seed: seed)
        var ordered: [String] = []
        return (1...count).map { number in
            let id = "o\(Int.random(in: 1...max(number, 5), using: &generator))"
            let units = Int64.random(in: 1...4, using: &generator)
            let sku: DecodedEntry.Line = generator.chance(50) ? ("cube", "black", units) : ("lamp", nil, units)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: return DecodedEntry.junk(number).entry
            case 1, 2:
                // Of an earlier order: an early cancellation would be republished at an unpredictable time.
                guard let order = ordered.randomElement(using: &generator) else { fallthrough }
                return DecodedEntry.cancel(number, "c\(number % 9)", order: order).entry
            case 3, 4:
                return DecodedEntry.adjust(number, "a\(number % 7)", sku.product, units, variant: sku.variant).entry
            default:
                ordered.append(id)
                return DecodedEntry.order(number, id, sku).entry
            }
        }
    }

    @Test("decides, records and acknowledges everything once")
    func wholeWay() async throws {
        let shop = try await MemoryShop()
        shop.publish(Self.entries(7, 300))
        let totals = try await shop.consume()
        try await shop.expectConsistent("")
        #expect([.accepted, .refused, .cancelled, .adjusted].allSatisfy { totals[$0] > 0 })
        let outcomes = shop.redis.withTables(\.outcomes)
        #expect(outcomes.count == 300)
        #expect(outcomes.compactMap(\.outcome.seq).max() == shop.redis.withTables { $0.counters?.head.seq })
        // Once more: nothing is left.
        #expect(try await shop.consume()[.accepted] == 0)
        #expect(shop.redis.withTables(\.outcomes).count == 300)
    }

    /// Faults at random commands, each of a kind that occurs in practice: not sent, or executed with the reply lost.
    private static func faults(_ seed: UInt64, every: Int) -> @Sendable (String) -> MemoryRedis.Fault? {
        let generator = Mutex(SeededGenerator(seed: seed))
        return { command in
            // The simulated Redis handles connection faults itself.
            if ["CONNECT", "CLIENT UNBLOCK", "XADD"].contains(command) { return nil }
            return generator.withLock { generator in
                guard Int.random(in: 0..<every, using: &generator) == 0 else { return nil }
                return generator.chance(50)
                    ? .before(.notSent(to: "memory", reason: "a test"))
                    : .after(.connectionLost(to: "memory", reason: "a test"))
            }
        }
    }

    @Test("ends as if it had processed message by message, whichever commands fail or lose their reply")
    func faults() async throws {
        // STOCKTAKE_TEST_SEED replays the seed of a failure.
        let given = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SEED"].flatMap { UInt64($0) }
        let first = given ?? .random(in: 0..<1 << 32)
        for seed in first..<first + 12 {
            let stream = Self.entries(seed, 150)
            let plain = try await MemoryShop()
            plain.publish(stream)
            try await plain.consume(batchOrders: 1)
            let shop = try await MemoryShop(Self.faults(seed, every: 15))
            shop.publish(stream)
            try await shop.consume(batchOrders: Int(seed % 7) + 2)
            try await shop.expectConsistent("seed \(seed)")
            let (expected, found) = (try await plain.results(), try await shop.results())
            #expect(found.decisions == expected.decisions, "seed \(seed)")
            #expect(found.sold == expected.sold && found.letters == expected.letters, "seed \(seed)")
        }
    }

    @Test("continues from the state of a Redis that has forgotten its latest writes")
    func forgetfulRedis() async throws {
        let shop = try await MemoryShop()
        let stream = Self.entries(11, 200)
        shop.publish(stream)
        let before = shop.redis.withTables { $0 }
        try await shop.consume()
        let results = try await shop.results()
        // The counters are lost, and everything is unread again.
        shop.redis.withTables { $0.forget(since: before) }
        try await shop.consume()
        try await shop.expectConsistent("")
        let again = try await shop.results()
        #expect(again.decisions == results.decisions && again.sold == results.sold)
    }
}
