import Counters
import Domain
import Ledger
import MemoryRedis
import RedisClient
import RedisLayout
import TestSupport
import Testing

@testable import Consumer
@testable import Ingest

/// The implementations of the consumer's Redis ports. Each passes these tests.
enum RedisBackend: CaseIterable, CustomTestStringConvertible {
    case server
    case memory

    var testDescription: String {
        switch self {
        case .server: "a server"
        case .memory: "memory"
        }
    }

    /// Features that a backend may lack.
    enum Capability: CaseIterable {
        /// The group lists its consumers by name and keeps them until they are removed.
        case namedConsumers
    }

    var capabilities: Set<Capability> {
        switch self {
        case .server: [.namedConsumers]
        case .memory: []
        }
    }
}

@Suite("What the consumer uses of Redis")
struct RedisPortTests {
    private static let lamp = CounterName.product("lamp")

    /// - Parameter body: Its last argument deletes an entry from the stream.
    private func withPorts(
        _ backend: RedisBackend, of ledger: String = "L", count: Int = 1_024,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (
            _ redis: ConsumerPorts, _ other: @Sendable (_ ledger: String) -> ConsumerPorts,
            _ delete: @Sendable (_ entry: String) async throws -> Void
        ) async throws -> Void
    ) async throws {
        switch backend {
        case .memory:
            let shared = MemoryRedis()
            @Sendable func connect(_ ledger: String) -> ConsumerPorts {
                let connection = MemoryRedisConnection(shared, ledger: ledger, maximumCount: count)
                return ConsumerPorts(gate: connection, upkeep: connection, source: connection, publisher: connection)
            }
            try await body(connect(ledger), connect) { id in shared.withTables { $0.delete(id) } }
        case .server:
            try await withRedisServer { server async throws in
                let settings = {
                    var settings = ConsumerSettings()
                    settings.batchOrders = count * 2
                    return settings
                }()
                @Sendable func connect(_ ledger: String) -> ConsumerPorts {
                    ConsumerPorts(
                        server.url, RedisOptions(), keys: StoreKeys(store: "main"), ledger: ledger,
                        settings: settings, logger: silentLogger)
                }
                let redis = connect(ledger)
                try await body(redis, connect) { id in
                    try await server.command("XDEL", StoreKeys(store: "main").checkouts, id)
                }
                await redis.close()
            }
        }
    }

    private func installation(epoch: Int64, seq: Int64 = 0, recorded: Int64 = 0) -> Installation {
        Installation(
            epoch: epoch, seq: seq, position: recorded + 3, catalogueVersion: 3,
            counters: [
                (.product("cube"), CounterState(sold: 1, cap: 10, isActive: true)),
                (.variant("black"), CounterState(sold: 1, cap: 4, isActive: true)),
                (Self.lamp, CounterState(sold: 0, cap: nil, isActive: true)),
            ])
    }

    private func order(_ id: Identifier, _ product: Identifier, _ variant: Identifier?, _ units: Int64)
        -> PlannedCommand
    {
        let order = Order(
            Checkout(
                orderID: id,
                items: [.init(productID: product, variantID: variant, units: units, unitPrice: 1)]))
        return PlannedCommand(.placeOrder(order), movements: order.movements)
    }

    private func publish(_ redis: ConsumerPorts, _ number: Int) async throws -> [String] {
        var ids: [String] = []
        for number in 0..<number {
            ids.append(
                try await redis.publisher.publish(
                    StreamWriter.fields(type: "t", payload: Array("\(number)".utf8))))
        }
        return ids
    }

    // MARK: - The gate

    @Test("Counters are installed for one ledger only, and never backwards", arguments: RedisBackend.allCases)
    func installing(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, other, _ async throws in
            #expect(try await redis.gate.head().isEmpty)
            #expect(
                try await redis.gate.install(installation(epoch: 2, seq: 5, recorded: 7)) == .installed(announced: 0))
            let head = CounterHead(ledger: "L", epoch: 2, seq: 5, settled: 5, recorded: 7, catalogue: 3, announced: 0)
            #expect(try await redis.gate.head() == head)
            #expect(
                try await redis.gate.install(installation(epoch: 2, seq: 5, recorded: 7)) == .refused(.laterEpoch(2)))
            #expect(
                try await redis.gate.install(installation(epoch: 3, seq: 4, recorded: 7))
                    == .refused(.moreRecorded(settled: 5, recorded: 7)))
            let stranger = other("S")
            #expect(
                try await stranger.gate.install(installation(epoch: 9, seq: 9, recorded: 9))
                    == .refused(.otherLedger("L")))
            await stranger.close()
            #expect(try await redis.gate.head() == head)
            #expect(
                try await redis.gate.install(installation(epoch: 3, seq: 5, recorded: 8)) == .installed(announced: 0))
        }
    }

    @Test("Commands are decided in order, against both levels, or not at all", arguments: RedisBackend.allCases)
    func deciding(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, other, _ async throws in
            let gate = redis.gate
            let one = [order("o", "lamp", nil, 1)]
            func isFenced(_ answer: GateResult, _ what: String) -> Bool {
                if case .fenced(let found, _) = answer { found == what } else { false }
            }
            #expect(isFenced(try await gate.decide(one, epoch: 1, seq: 0), "ledger"))
            _ = try await gate.install(installation(epoch: 1))
            #expect(isFenced(try await gate.decide(one, epoch: 2, seq: 0), "epoch"))
            #expect(isFenced(try await gate.decide(one, epoch: 1, seq: 1), "seq"))
            #expect(isFenced(try await gate.decide([order("o", "none", nil, 1)], epoch: 1, seq: 0), "sold:p:none"))
            let owned = [SKUUnits(SKU("cube", "black"), 1)]
            let back = Cancellation(cancellationID: "c", orderID: "o")
            let lost = Cancellation(cancellationID: "d", orderID: "o", restock: false)
            let extra = Adjustment(adjustmentID: "a", sku: SKU("cube", "black"), units: 20, reason: "r")
            let answer = try await gate.decide(
                [
                    order("a", "cube", "black", 3), order("b", "cube", "black", 1), order("c", "lamp", nil, 99),
                    PlannedCommand(.cancel(back), movements: CancellationEffect(back, from: owned).movements),
                    PlannedCommand(.cancel(lost), movements: CancellationEffect(lost, from: owned).movements),
                    order("d", "cube", "black", 2),
                    PlannedCommand(.adjust(extra), movements: extra.movements), order("e", "cube", "black", 1),
                ], epoch: 1, seq: 0)
            func short(_ counter: CounterName, _ asked: Int64, _ left: Int64) -> Decision {
                .refused(Shortage(counter: counter, asked: asked, left: left))
            }
            #expect(
                answer
                    == .decided(
                        seq: 4,
                        [
                            .accepted(seq: 1), short(.variant("black"), 1, 0), .accepted(seq: 2), .accepted(seq: 3),
                            .unchanged, short(.variant("black"), 2, 1), .accepted(seq: 4),
                            short(.product("cube"), 1, 0),
                        ]))
            #expect(try await gate.head().seq == 4)
            // A late call finds another state.
            #expect(isFenced(try await gate.decide(one, epoch: 1, seq: 0), "seq"))
            let stranger = other("S")
            #expect(isFenced(try await stranger.gate.decide(one, epoch: 1, seq: 4), "ledger"))
            await stranger.close()
        }
    }

    // MARK: - The stream

    @Test("Entries are read in order, and are pending until they are acknowledged", arguments: RedisBackend.allCases)
    func acknowledging(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            _ = try await redis.gate.install(installation(epoch: 1))
            try await redis.source.connect()
            // Nothing is pending yet, and the stream may not even exist.
            _ = try await redis.source.next(block: .zero)
            let ids = try await publish(redis, 3)
            #expect(try await redis.publisher.isWaiting(ids[0]))
            let delivery = try await redis.source.next(block: .seconds(5))
            #expect(delivery.entries.map(\.id) == ids && !delivery.isFull && delivery.lost.isEmpty)
            #expect(delivery.entries.map { $0.payload?.copy } == [[48], [49], [50]])
            #expect(
                try await redis.gate.pending() == PendingSummary(count: 3, lowest: StreamID(ids[0])))
            func acknowledge(_ epoch: Int64, settled: Int64, _ entries: [String]) async throws -> AcknowledgeResult {
                try await redis.gate.acknowledge(
                    Acknowledgement(
                        epoch: epoch, settled: settled, recorded: 3, entries: entries,
                        changed: ["lamp"]), keepOutcomes: 100)
            }
            #expect(try await acknowledge(2, settled: 0, ids) == .fenced)
            // Redis has lost a seq that is recorded.
            #expect(try await acknowledge(1, settled: 1, ids) == .fenced)
            #expect(try await redis.gate.pending().count == 3)
            #expect(
                try await acknowledge(1, settled: 0, Array(ids[0...1]))
                    == .acknowledged(AcknowledgeReport(acknowledged: 2, announced: 0)))
            #expect(
                try await acknowledge(1, settled: 0, Array(ids[0...1]))
                    == .acknowledged(AcknowledgeReport(acknowledged: 0, announced: 0)))
            #expect(
                try await redis.gate.pending() == PendingSummary(count: 1, lowest: StreamID(ids[2])))
            #expect(try await redis.gate.head().recorded == 3)
            #expect(try await !redis.publisher.isWaiting(ids[0]))
            #expect(try await redis.publisher.isWaiting(ids[2]))
            #expect(try await !redis.publisher.isWaiting("1-1"))
        }
    }

    @Test(
        "Pending entries are claimed first, in parts, with their delivery counts",
        arguments: RedisBackend.allCases)
    func claiming(_ backend: RedisBackend) async throws {
        try await withPorts(backend, count: 2) { redis, other, _ async throws in
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            let ids = try await publish(redis, 5)
            var read: [String] = []
            while read.count < 4 { read += try await redis.source.next(block: .seconds(5)).entries.map(\.id) }
            #expect(read == Array(ids[0...3]))
            // The process ends, and another one starts.
            let next = other("L")
            try await next.source.connect()
            var claimed: [StreamEntry] = []
            while claimed.count < 4 {
                let delivery = try await next.source.next(block: .seconds(5))
                #expect(delivery.entries.count <= 2)
                claimed += delivery.entries
            }
            #expect(claimed.map(\.id) == Array(ids[0...3]) && claimed.map(\.deliveries) == [2, 2, 2, 2])
            var rest: [StreamEntry] = []
            while rest.isEmpty { rest = try await next.source.next(block: .seconds(5)).entries }
            #expect(rest.map(\.id) == [ids[4]] && rest[0].deliveries == 1)
            // From the beginning again, over the same connection.
            await next.source.startOver()
            #expect(try await next.source.next(block: .seconds(5)).entries.map(\.id) == Array(ids[0...1]))
            await next.close()
        }
    }

    @Test("A read waits for an entry, and no longer than its limit", arguments: RedisBackend.allCases)
    func waiting(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            let start = ContinuousClock.now
            #expect(try await redis.source.next(block: .milliseconds(1)).isEmptyRead)
            #expect(ContinuousClock.now - start < .seconds(10))
            async let delivery = redis.source.next(block: .seconds(30))
            let ids = try await publish(redis, 1)
            #expect(try await delivery.entries.map(\.id) == ids)
            async let ended = redis.source.next(block: .seconds(30))
            // Until the read waits there is nothing to end.
            let ending = Task {
                while !Task.isCancelled {
                    await redis.source.endWait()
                    await Task.yield()
                }
            }
            #expect(try await ended.isEmptyRead)
            ending.cancel()
            await ending.value
        }
    }

    @Test("A reader that is not connected reads nothing", arguments: RedisBackend.allCases)
    func disconnected(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            await #expect(throws: RedisError.self) { try await redis.source.next(block: .zero) }
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
        }
    }

    // MARK: - Upkeep

    @Test("Only processed entries are trimmed", arguments: RedisBackend.allCases)
    func trimming(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            _ = try await redis.gate.install(installation(epoch: 1))
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            let ids = try await publish(redis, 3)
            _ = try await redis.source.next(block: .seconds(5))
            let unread = try await publish(redis, 1)
            let all = Retention(age: .seconds(-3_600), messages: 1_000)
            #expect(try await redis.upkeep.trim(all).messages == 0)
            _ = try await redis.gate.acknowledge(
                Acknowledgement(
                    epoch: 1, settled: 0, recorded: 0, entries: Array(ids[0...1])),
                keepOutcomes: 10)
            let report = try await redis.upkeep.trim(all)
            #expect(report.aged == 2 && report.excess == 0 && report.lastDelivered == ids[2])
            #expect(try await redis.upkeep.oldestMessage()?.text == ids[2])
            #expect(try await redis.publisher.isWaiting(ids[2]))
            #expect(try await redis.publisher.isWaiting(unread[0]))
            #expect(try await !redis.gate.isFull())
            #expect(try await !redis.upkeep.isShortOfMemory())
            #expect(try await redis.gate.server().runID != nil)
            try await redis.gate.reach()
        }
    }

    @Test(
        "A limit on their number trims the oldest entries, and outcomes beyond their own limit",
        arguments: RedisBackend.allCases)
    func trimmingByNumber(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            _ = try await redis.gate.install(installation(epoch: 1))
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            // More than a node of a stream holds: a server trims whole nodes.
            let ids = try await publish(redis, 300)
            var read = 0
            while read < 300 { read += try await redis.source.next(block: .seconds(5)).entries.count }
            _ = try await redis.gate.acknowledge(
                Acknowledgement(
                    epoch: 1, settled: 0, recorded: 0, entries: ids),
                keepOutcomes: 1_000)
            let long = Duration.seconds(3_600)
            let report = try await redis.upkeep.trim(Retention(age: long, messages: 100))
            #expect(report.aged == 0 && (100...200).contains(report.excess))
            let known = try await redis.upkeep.trim(Retention(age: long, olderThan: ids[250], messages: 1_000))
            #expect(known.aged > 0 && known.excess == 0)
            #expect(try await redis.upkeep.oldestMessage().map { $0 <= StreamID(ids[250]) ?? $0 } == true)
        }
    }

    @Test(
        "Entries that were deleted from the stream before they were processed are found to be lost",
        arguments: RedisBackend.allCases
    )
    func losing(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, delete async throws in
            _ = try await redis.gate.install(installation(epoch: 1))
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            let ids = try await publish(redis, 3)
            try await delete(ids[1])
            // The missing entries could be among the unread ones.
            #expect(try await redis.upkeep.checkForLostMessages().found == 0)
            #expect(try await redis.source.next(block: .seconds(5)).entries.map(\.id) == [ids[0], ids[2]])
            #expect(try await redis.upkeep.checkForLostMessages().found == 1)
            #expect(try await redis.upkeep.checkForLostMessages().found == 0)
            #expect(try await redis.upkeep.lostMessages().total == 1)
            // A pending one is reported by the reader.
            try await delete(ids[2])
            await redis.source.startOver()
            let claimed = try await redis.source.next(block: .seconds(5))
            #expect(claimed.entries.map(\.id) == [ids[0]] && claimed.lost == [ids[2]])
            #expect(try await redis.gate.pending().count == 1)
            #expect(try await redis.upkeep.checkForLostMessages().total == 2)
        }
    }

    @Test("Unused consumers of the group are removed, if there are any", arguments: RedisBackend.allCases)
    func consumers(_ backend: RedisBackend) async throws {
        try await withPorts(backend) { redis, _, _ async throws in
            try await redis.source.connect()
            _ = try await redis.source.next(block: .zero)
            _ = try await publish(redis, 1)
            let delivery = try await redis.source.next(block: .seconds(5))
            _ = try await redis.gate.install(installation(epoch: 1))
            _ = try await redis.gate.acknowledge(
                Acknowledgement(
                    epoch: 1, settled: 0, recorded: 0, entries: delivery.entries.map(\.id)),
                keepOutcomes: 1)
            let own = ConsumerSettings().consumer
            #expect(try await redis.upkeep.removeIdleConsumers(except: own) == 0)
            let removed = try await redis.upkeep.removeIdleConsumers(except: "another")
            #expect((removed == 1) == backend.capabilities.contains(.namedConsumers))
        }
    }
}
