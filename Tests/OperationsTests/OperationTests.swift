import Counters
import Domain
import Ledger
import LedgerSamples
import MemoryLedger
import Reconciliation
import RedisClient
import RedisLayout
import TestSupport
import Testing

@testable import Operations

/// A ledger in memory with its counters in a real Redis, and no consumer.
private struct Store: Sendable {
    let server: TestRedisServer
    let client: RedisClient
    let location: MemoryLedgerLocation
    let ledger: OpenMemoryLedger
    let keys = StoreKeys(store: "main")

    var access: StoreAccess {
        StoreAccess(
            ledger: location, store: "main", redis: server.url, redisOptions: RedisOptions(), privateRedis: nil,
            by: "maria", logger: silentLogger)
    }

    var counters: CounterStore { CounterStore(keys: keys, ledger: ledger.identity, client: client) }

    func install() async throws {
        let start = try await ledger.raiseEpoch()
        let answer = try await counters.install(
            Installation(
                epoch: start.head.epoch, seq: start.head.seq, position: start.head.position,
                catalogueVersion: start.head.catalogueVersion, counters: start.counters))
        #expect(answer == .installed(announced: 0))
    }

    func repair(_ reconcilerPatience: Duration = .zero) -> DriftRepair {
        var reconciler = Reconciler(
            ledger: ledger, counters: CounterReader(keys: keys, client: client), redis: "redis")
        reconciler.patience = reconcilerPatience
        return DriftRepair(access, ledger: ledger, client: client, reconciler: reconciler, reason: "test")
    }
}

private func withStore(
    isolation: isolated (any Actor)? = #isolation, _ body: (Store) async throws -> Void
) async throws {
    try await withRedisServer { server async throws in
        let location = MemoryLedgerLocation()
        try await location.create(store: "main")
        let ledger = try location.open("main")
        _ = try await ledger.sync(.sample)
        try await ledger.recordNext([order("o", [("kit", nil, 2)], .accepted(seq: 1))])
        let store = Store(server: server, client: server.client(), location: location, ledger: ledger)
        try await store.install()
        try await body(store)
        await store.client.close()
        try? ledger.close()
    }
}

@Suite("An operator's actions on a store")
struct OperationTests {
    private func kind(_ body: () async throws -> Void) async -> LedgerErrorKind? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? any LedgerError)?.kind
        }
    }

    // MARK: - Dropping

    @Test("Dropping asks for confirmation with the number of orders, and deletes ledger and counters")
    func drop() async throws {
        try await withStore { store async throws in
            try store.ledger.close()
            let removal = StoreRemoval(store.access)
            var asked: [Int] = []
            let isRefused = try await removal.run(keepsCounters: false) {
                asked.append($0)
                return false
            }
            #expect(!isRefused && asked == [1])
            #expect(try await store.location.exists())
            #expect(try await !store.counters.head().isEmpty)
            #expect(try await removal.run(keepsCounters: false) { _ in true })
            #expect(try await !store.location.exists())
            #expect(try await store.counters.head().isEmpty)
            #expect(await kind { _ = try await removal.run(keepsCounters: false) { _ in true } } == .missing)
        }
    }

    @Test("Dropping keeps the counters on request")
    func dropLedgerOnly() async throws {
        try await withStore { store async throws in
            try store.ledger.close()
            #expect(try await StoreRemoval(store.access).run(keepsCounters: true) { _ in true })
            #expect(try await !store.counters.head().isEmpty)
        }
    }

    @Test("Nothing is dropped while a consumer is active or another process reads")
    func dropInUse() async throws {
        try await withStore { store async throws in
            let removal = StoreRemoval(store.access)
            // It is open here.
            #expect(await kind { _ = try await removal.run(keepsCounters: false) { _ in true } } == .inUse)
            let lease = try await store.location.takeLease(for: "consuming")
            #expect(await kind { _ = try await removal.run(keepsCounters: false) { _ in true } } == .inUse)
            withExtendedLifetime(lease) {}
            #expect(try await store.location.exists())
            #expect(try await !store.counters.head().isEmpty)
        }
    }

    // MARK: - Adopting

    @Test("Adopting raises the ledger's epoch above that of the counters, which are deleted")
    func adopt() async throws {
        try await withStore { store async throws in
            try await store.server.command("HSET", store.keys.stock, "epoch", "7", "ledger", "another")
            let adoption = Adoption(store.access)
            let isDeclined = try await adoption.run { _, _ in false }
            #expect(!isDeclined)
            #expect(try await store.ledger.head().epoch == 1)
            let isAdopted = try await adoption.run { head, seq in
                #expect(head.epoch == 7 && head.ledger == "another" && seq == 1)
                return true
            }
            #expect(isAdopted)
            #expect(try await store.ledger.head().epoch == 7)
            #expect(try await store.counters.head().isEmpty)
            // The next consumer continues from there.
            try await store.install()
            #expect(try await store.counters.head().epoch == 8)
        }
    }

    @Test("Nothing is adopted while a consumer is active")
    func adoptInUse() async throws {
        try await withStore { store async throws in
            let lease = try await store.location.takeLease(for: "consuming")
            #expect(await kind { _ = try await Adoption(store.access).run { _, _ in true } } == .inUse)
            withExtendedLifetime(lease) {}
        }
    }

    // MARK: - Repairing

    @Test("Without a consumer a repair installs the counters itself")
    func repair() async throws {
        try await withStore { store async throws in
            let clean = try await store.repair().run(miscounts: [], comparesAll: false, explained: 0)
            #expect(clean.report?.isClean == true && clean.repaired == 0 && clean.installedEpoch == nil)
            try await store.server.command("HSET", store.keys.stock, "sold:p:kit", "9")
            let done = try await store.repair().run(miscounts: [], comparesAll: true, explained: 0)
            #expect(done.report?.drift.count == 1 && done.repaired == 1)
            #expect(done.repairEpoch == 2 && done.installedEpoch == 3)
            #expect(done.after?.isClean == true)
            let kept = try await store.ledger.repairs(limit: 9, after: nil).elements
            #expect(kept.map(\.repair.id) == ["kit"] && kept[0].epoch == 2)
        }
    }

    @Test("With a consumer a repair waits for its epoch, and says if there is none")
    func repairBesideConsumer() async throws {
        try await withStore { store async throws in
            let lease = try await store.location.takeLease(for: "consuming")
            try await store.server.command("HSET", store.keys.stock, "sold:p:kit", "9")
            var repair = store.repair(.seconds(20))
            repair.patience = .milliseconds(20)
            let error = await #expect(throws: OperationError.self) {
                try await repair.run(miscounts: [], comparesAll: false, explained: 0)
            }
            guard case .repairNotInstalled? = error else { throw Unexpected(String(describing: error)) }
            // The consumer is running again.
            try await store.install()
            try await store.server.command("HSET", store.keys.stock, "sold:p:kit", "9")
            repair.patience = .seconds(20)
            let consumer = Task {
                try await eventually("the request") { try await store.ledger.head().epoch == 4 }
                try await store.install()
            }
            let done = try await repair.run(miscounts: [], comparesAll: false, explained: 0)
            try await consumer.value
            #expect(done.repairEpoch == 4 && done.installedEpoch == 5 && done.after?.isClean == true)
            withExtendedLifetime(lease) {}
        }
    }

    // MARK: - Erasing

    @Test("Erased data is removed at once without a consumer, otherwise by the consumer")
    func erasure() async throws {
        try await withStore { store async throws in
            _ = try await store.ledger.erase(["o"])
            #expect(try await ErasureBarrier(store.ledger, store.location.lease).wait())
            #expect(try await store.ledger.isErasureComplete())
            _ = try await store.ledger.erase(["o"])
            let lease = try await store.location.takeLease(for: "consuming")
            var barrier = ErasureBarrier(store.ledger, store.location.lease)
            barrier.limit = .milliseconds(20)
            #expect(try await !barrier.wait())
            barrier.limit = .seconds(20)
            async let isGone = barrier.wait()
            _ = try await store.ledger.completeErasure()
            #expect(try await isGone)
            withExtendedLifetime(lease) {}
        }
    }
}
