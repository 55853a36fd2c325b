import Counters
import Domain
import Ledger
import MemoryLedger
import RedisClient
import RedisLayout
import TestSupport

@testable import Reconciliation

/// A ledger and its counters, installed; only the test decides and records.
struct ReconciliationFixture: Sendable {
    let server: TestRedisServer
    let client: RedisClient
    let place: MemoryLedgerLocation
    let ledger: OpenMemoryLedger
    let keys = StoreKeys(store: "main")

    var store: CounterStore { CounterStore(keys: keys, ledger: ledger.identity, client: client) }

    var reconciler: Reconciler {
        Reconciler(ledger: ledger, counters: CounterReader(keys: keys, client: client), redis: "redis")
    }

    /// - Parameter part: The number of counters compared together; `nil` for the default.
    func drift(
        patience: Duration = .seconds(20), all: Bool = false, part: Int? = nil
    ) async throws -> DriftReport {
        var reconciler = reconciler
        reconciler.patience = patience
        if let part { reconciler.partCounters = part }
        return try await reconciler.drift(all: all, explained: 20)
    }

    /// Waits until counters have been read; only reading and installing them count their fields.
    func waitForSnapshot() async throws {
        try await eventually("a snapshot") {
            try await server.command("INFO", "commandstats").string?.contains("cmdstat_hlen:") == true
        }
    }

    /// Sends a command for the counters' hash, as an operator might with redis-cli; the key is inserted after its name.
    func hand(_ words: [String]) async throws {
        var command = RedisCommand(words[0], keys.stock)
        command.append(contentsOf: words.dropFirst())
        _ = try await client.send(command)
    }

    /// Opens a new epoch.
    func install() async throws {
        let start = try await ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
        let answer = try await store.install(
            Installation(
                epoch: start.head.epoch, seq: start.head.seq, position: start.head.position,
                catalogueVersion: start.head.catalogueVersion,
                counters: start.counters))
        guard case .installed = answer else { throw TestSupportError("not installed: \(answer)") }
        try await server.command("CONFIG", "RESETSTAT")
    }

    static func checkout(_ id: Int64, product: Identifier, variant: Identifier? = nil, units: Int64 = 1) -> Checkout {
        Checkout(
            orderID: Identifier("o\(id)"),
            items: [.init(productID: product, variantID: variant, units: units, unitPrice: 1)])
    }

    /// Lets the counters decide an order that continues `head`, and accept it.
    func decide(_ checkout: Checkout, after head: LedgerHead) async throws {
        let answer = try await store.decide([Self.planned(checkout)], epoch: head.epoch, seq: head.seq)
        guard answer == .decided(seq: head.seq + 1, [.accepted(seq: head.seq + 1)]) else {
            throw TestSupportError("not accepted: \(answer)")
        }
    }

    private static func planned(_ checkout: Checkout) -> PlannedCommand {
        let order = Order(checkout)
        return PlannedCommand(.placeOrder(order), movements: order.movements)
    }

    /// Records what `decide` has accepted.
    func record(_ checkout: Checkout, after head: LedgerHead) async throws {
        let decided = DecidedCommand(
            Self.planned(checkout), .accepted(seq: head.seq + 1), decidedAt: "now", entryID: "1-0")
        let batch = JournalBatch(
            epoch: head.epoch, catalogueVersion: head.catalogueVersion, seqBefore: head.seq,
            records: [.command(decided)])
        let answer = try await ledger.record(batch)
        guard case .recorded = answer else { throw TestSupportError("not recorded: \(answer)") }
    }

    /// Decides and records an order.
    func sell(_ product: Identifier, _ variant: Identifier? = nil, units: Int64 = 1) async throws {
        let head = try await ledger.head()
        let checkout = Self.checkout(head.seq + 1, product: product, variant: variant, units: units)
        try await decide(checkout, after: head)
        try await record(checkout, after: head)
    }
}

extension Catalogue {
    /// A capped product with a capped variant, an unlimited product.
    static let sample = Catalogue(
        categories: ["c"],
        products: [
            Product(
                id: "cube", name: "n", category: "c", devStatus: 5, basePrice: 1, cap: 10,
                variants: [Variant(id: "black", name: "n", cap: 6)]),
            Product(id: "sheet", name: "n", category: "c", devStatus: 5, basePrice: 1),
        ])

    /// More counters than one snapshot takes.
    static let large = Catalogue(
        categories: ["c"],
        products: (0..<2_500).map {
            Product(id: Identifier("p\($0)"), name: "n", category: "c", devStatus: 5, basePrice: 1)
        })
}

func withReconciliation(
    _ catalogue: Catalogue = .sample, isInstalled: Bool = true, isolation: isolated (any Actor)? = #isolation,
    _ body: (ReconciliationFixture) async throws -> Void
) async throws {
    try await withRedisServer { server async throws in
        let place = MemoryLedgerLocation()
        try await place.create(store: "main")
        let ledger = try place.open("main")
        _ = try await ledger.sync(catalogue)
        let fixture = ReconciliationFixture(server: server, client: server.client(), place: place, ledger: ledger)
        if isInstalled { try await fixture.install() }
        try await body(fixture)
        await fixture.client.close()
        try ledger.close()
    }
}
