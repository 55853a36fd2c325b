import Counters
import Domain
import Ledger
import MemoryLedger
import Logging
import RedisClient
import RedisLayout
import Synchronization
import TestSupport

@testable import AvailabilityAPI

/// A ledger in memory, its counters in a real Redis, and a reader of both; the test itself acts as the consumer.
struct StorefrontFixture: Sendable {
    let server: TestRedisServer
    let client: RedisClient
    let place: MemoryLedgerLocation
    let ledger: OpenMemoryLedger
    let reader: AvailabilityReader
    let watch: LedgerWatch
    let keys: StoreKeys
    let unread = UnreadBytes(limit: .max)

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    func live(_ pace: LiveAvailability.Pace) -> LiveAvailability {
        LiveAvailability(reader, metrics: APIMetrics(), unread: unread, logger: Self.logger, pace: pace)
    }

    /// The reader of a process that starts now.
    func secondStorefront() async throws -> AvailabilityReader {
        let source = AvailabilitySource(
            counters: CounterReader(keys: keys, client: client), ledger: ledger, watch: watch,
            fallsBackToLedger: false, logger: Self.logger)
        return AvailabilityReader(
            catalogue: try await CurrentCatalogue.read(from: ledger),
            reads: CoalescingReader(source, metrics: APIMetrics()))
    }

    /// Opens a new epoch with the ledger's counters.
    func install() async throws {
        let start = try await ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
        let store = CounterStore(keys: keys, ledger: ledger.identity, client: client)
        let response = try await store.install(
            Installation(
                epoch: start.head.epoch, seq: start.head.seq, position: start.head.position,
                catalogueVersion: start.head.catalogueVersion, counters: start.counters))
        guard case .installed = response else { throw TestSupportError("not installed: \(response)") }
    }

    /// Records an order of one sheet in the ledger, as the consumer does after the gate.
    func record(_ id: Identifier) async throws {
        let head = try await ledger.head()
        let order = Order(
            Checkout(orderID: id, items: [.init(productID: "sheet", units: 1, unitPrice: 1)]))
        let decided = DecidedCommand(
            PlannedCommand(.placeOrder(order), movements: order.movements), .accepted(seq: head.seq + 1),
            decidedAt: "2026-11-22T10:00:00.000Z", entryID: "\(id)-0")
        let response = try await ledger.record(
            JournalBatch(
                epoch: head.epoch, catalogueVersion: head.catalogueVersion, seqBefore: head.seq,
                records: [.command(decided)]))
        guard case .recorded = response else { throw TestSupportError("not recorded: \(response)") }
    }

    /// Changes counters as the gate would, and takes the next seq for it.
    func sell(_ units: Int, of counters: String...) async throws {
        let script = """
            for counter in string.gmatch(ARGV[2], '%S+') do redis.call('HINCRBY', KEYS[1], 'sold:' .. counter, ARGV[1]) end
            return redis.call('HINCRBY', KEYS[1], 'seq', 1)
            """
        // Atomically, as the gate does: a concurrent read must not see half of it.
        try await server.command("EVAL", script, "1", keys.stock, "\(units)", counters.joined(separator: " "))
    }

    /// The product's sold units, as currently served.
    func sold(_ id: Identifier) async throws -> Int64 {
        try await reader.availability(of: [id]).availability[0].availability.product.sold
    }
}

/// Counts events across tasks.
final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() { count.withLock { $0 += 1 } }
}

extension Catalogue {
    /// A capped product with two variants, a capped one without, an unlimited one.
    static let sample = Catalogue(
        categories: ["kit", "material"],
        products: [
            Product(
                id: "cube", name: "Cube", category: "kit", devStatus: 5, basePrice: 100, cap: 10,
                variants: [
                    Variant(id: "black", name: "Black", cap: 6), Variant(id: "red", name: "Red"),
                ]),
            Product(id: "lamp", name: "Lamp", category: "kit", devStatus: 5, basePrice: 50, cap: 3),
            Product(id: "sheet", name: "Sheet", category: "material", devStatus: 5, basePrice: 5),
        ])
}

func withStorefront(
    _ catalogue: Catalogue = .sample, isInstalled: Bool = true, fallsBackToLedger: Bool = false,
    isolation: isolated (any Actor)? = #isolation, _ body: (StorefrontFixture) async throws -> Void
) async throws {
    try await withRedisServer { server async throws in
        let place = MemoryLedgerLocation()
        try await place.create(store: "main")
        let ledger = try place.open("main")
        _ = try await ledger.sync(catalogue)
        let client = server.client()
        let keys = StoreKeys(store: "main")
        let watch = try await LedgerWatch(ledger, logger: StorefrontFixture.logger)
        let source = AvailabilitySource(
            counters: CounterReader(keys: keys, client: client), ledger: ledger, watch: watch,
            fallsBackToLedger: fallsBackToLedger, logger: StorefrontFixture.logger)
        let fixture = StorefrontFixture(
            server: server, client: client, place: place, ledger: ledger,
            reader: AvailabilityReader(
                catalogue: try await CurrentCatalogue.read(from: ledger),
                reads: CoalescingReader(source, metrics: APIMetrics())),
            watch: watch, keys: keys)
        if isInstalled { try await fixture.install() }
        try await body(fixture)
        await client.close()
        try ledger.close()
    }
}
