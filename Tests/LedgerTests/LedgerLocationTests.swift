import Domain
import Ledger
import LedgerSamples
import MemoryLedger
import SQLiteLedger
import Testing

@Suite("The location of a ledger")
struct LedgerLocationTests {
    @Test("has no ledger until one is created, once, and none after a drop", arguments: Backend.allCases)
    func life(_ backend: Backend) async throws {
        let place = try TestLedgerLocation(backend).place
        #expect(try await !place.exists())
        #expect(await kind { try await place.requireExistence() } == .missing)
        #expect(await kind { _ = try await place.openStore("main") } == .missing)
        #expect(await kind { _ = try await place.openReader(nil) } == .missing)
        #expect(await kind { _ = try await place.openAdmin("main") } == .missing)
        #expect(await kind { try await place.requireUnused() } == .missing)
        try await place.create(store: "main")
        #expect(try await place.exists())
        #expect(await kind { try await place.create(store: "main") } == .alreadyExists)
        let reader = try await place.openReader(nil)
        #expect(reader.store == "main" && reader.name == place.name && !reader.identity.isEmpty)
        #expect(try await reader.head() == LedgerHead(epoch: 0, seq: 0, position: 0, catalogueVersion: 0))
        try reader.close()
        try await place.requireUnused()
        try await place.drop()
        #expect(try await !place.exists())
        try await place.create(store: "main")
        let other = try await place.openReader("main")
        #expect(other.identity != reader.identity)
        try other.close()
    }

    @Test("opens it for its own store only, and shows what another has written", arguments: Backend.allCases)
    func opening(_ backend: Backend) async throws {
        let location = try TestLedgerLocation(backend)
        let place = location.place
        try await place.create(store: "main")
        #expect(await kind { _ = try await place.openStore("other") } == .failed)
        #expect(await kind { _ = try await place.openReader("other") } == .failed)
        #expect(await kind { _ = try await place.openAdmin("other") } == .failed)
        let (store, admin) = (try await place.openStore("main"), try await place.openAdmin("main"))
        let reader = try await place.openReader("main")
        #expect(store.identity == reader.identity && admin.identity == reader.identity)
        _ = try await admin.sync(.sample)
        try await store.recordNext([order("o", [("kit", nil, 2)], .accepted(seq: 1))])
        #expect(try await reader.order("o")?.units == 2)
        #expect(try await reader.head() == LedgerHead(epoch: 0, seq: 1, position: 2, catalogueVersion: 1))
        try admin.close()
        try reader.close()
        try store.close()
        #expect(await kind { _ = try await store.head() } == .failed)
        #expect(await kind { try await store.raiseEpoch() } == .failed)
        let again = try await place.openReader("main")
        #expect(try await again.orderCount() == 1)
        try again.close()
    }

    @Test(
        "grants the lease to one holder at a time, with the state that the last holder left",
        arguments: Backend.allCases)
    func lease(_ backend: Backend) async throws {
        let location = try TestLedgerLocation(backend)
        let place = location.place
        try await place.create(store: "main")
        #expect(await place.lease.state().isHeld == false)
        #expect(await place.lease.soundness() == nil)
        do {
            let lease = try #require(try await place.lease.acquire())
            defer { withExtendedLifetime(lease) {} }
            #expect(lease.previousNote.isEmpty && lease.previousSoundness == nil)
            #expect(await place.lease.state().isHeld)
            #expect(try await place.lease.acquire() == nil)
            #expect(await kind { _ = try await place.takeLease(for: "dropping") } == .inUse)
            await lease.note("1-0 abc")
            await lease.note(.damaged(at: "2026-11-22T10:00:00Z", detail: "page 7"))
            #expect(await place.lease.soundness()?.damage == "page 7")
        }
        #expect(await place.lease.state().isHeld == false)
        let next = try await place.takeLease(for: "dropping")
        #expect(next.previousNote == "1-0 abc" && next.previousSoundness?.damage == "page 7")
        // Kept until the new holder sets another state.
        #expect(await place.lease.soundness()?.damage == "page 7")
        await next.note(LedgerSoundness?.none)
        await next.note("")
        #expect(await place.lease.soundness() == nil)
        withExtendedLifetime(next) {}
    }

    @Test("knows whether any process has the ledger open", arguments: Backend.allCases)
    func use(_ backend: Backend) async throws {
        let location = try TestLedgerLocation(backend)
        let place = location.place
        try await place.create(store: "main")
        let reader = try await place.openReader(nil)
        _ = try await reader.head()
        #expect(await kind { try await place.requireUnused() } == .inUse)
        #expect(await kind { try await place.drop() } == .inUse)
        #expect(try await place.exists())
        try reader.close()
        try await place.requireUnused()
    }

    @Test("notifies all that have the ledger open when another one has replaced it", arguments: Backend.allCases)
    func replaced(_ backend: Backend) async throws {
        let location = try TestLedgerLocation(backend)
        try await location.place.create(store: "main")
        let store = try await location.place.openStore("main")
        let reader = try await location.place.openReader("main")
        try await store.requireInPlace()
        let batch = JournalBatch(epoch: 0, catalogueVersion: 0, seqBefore: 0, replayed: [1])
        #expect(try await store.record(batch) == .recorded(position: 0))
        #expect(await reader.condition().obstacle == nil)
        try await location.replace()
        #expect(await kind { _ = try await store.record(batch) } == .replaced)
        #expect(await kind { try await store.requireInPlace() } == .replaced)
        #expect(await reader.condition().obstacle != nil)
        try reader.close()
        try store.close()
    }

    @Test("has exactly the capabilities that its backend declares", arguments: Backend.allCases)
    func capabilities(_ backend: Backend) async throws {
        let place = try TestLedgerLocation(backend).place
        try await place.create(store: "main")
        var found: Set<Backend.Capability> = []
        if place.backups != nil { found.insert(.backups) }
        if let inspection = try await place.inspect() {
            try await inspection.readWhole()
            inspection.close()
            found.insert(.inspection)
        }
        if await !place.examine().isEmpty { found.insert(.findings) }
        #expect(found == backend.capabilities)
    }
}
