import Counters
import Dispatch
import Glibc
import Domain
import TestSupport
import Testing

@testable import AvailabilityAPI

/// Reads of availability and of the catalogue, against a real Redis and a ledger in memory.
@Suite struct AvailabilityReaderTests {
    @Test("Concurrent requests are coalesced: the counters are read once or twice")
    func sharing() async throws {
        try await withStorefront { shop in
            _ = try await shop.sold("cube")
            func calls() async throws -> Int {
                let info = try await shop.server.command("INFO", "commandstats").string ?? ""
                let line = info.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_hmget:") } ?? ""
                return Int(line.split(separator: "=").dropFirst().first?.prefix { $0.isNumber } ?? "") ?? 0
            }
            let before = try await calls()
            // While Redis is stopped, the first read is in progress, and all others are queued.
            shop.server.signal(SIGSTOP)
            let begun = Count()
            let responses = try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<500 {
                    group.addTask {
                        begun.add()
                        return try await shop.sold(index.isMultiple(of: 2) ? "cube" : "lamp")
                    }
                }
                try await eventually("all have begun") { begun.value == 500 }
                shop.server.signal(SIGCONT)
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(responses.count == 500)
            let after = try await calls()
            #expect((1...5).contains(after - before), "\(after - before) round trips")
        }
    }

    @Test("Availability is effective: a variant's is bounded by its product's")
    func effective() async throws {
        try await withStorefront { shop in
            try await shop.sell(7, of: "p:cube", "v:red")
            let (version, availability) = try await shop.reader.availability(of: ["cube", "sheet"])
            #expect(version.source == .redis && version.epoch == 1 && version.seq == 1)
            #expect(availability[0].availability.product.available == 3)
            #expect(availability[0].availability.variants.map(\.available) == [3, 3])
            #expect(availability[1].availability.product.available == nil)
        }
    }

    @Test("All unknown ids are reported")
    func unknown() async throws {
        try await withStorefront { shop in
            do {
                _ = try await shop.reader.availability(of: ["nix", "cube", "black"])
                Issue.record("was found")
            } catch let problem as Problem {
                #expect(problem.status == .notFound)
                #expect(problem.members["unknown"] == .array([.string("nix"), .string("black")]))
            }
        }
    }

    @Test("No counters, another ledger's counters, or no Redis: unavailable, or the ledger's availability")
    func away() async throws {
        for fallsBack in [false, true] {
            try await withStorefront(isInstalled: false, fallsBackToLedger: fallsBack) { shop in
                func source() async throws -> SnapshotVersion.Source? {
                    do {
                        return try await shop.reader.availability(of: ["cube"]).version.source
                    } catch is AvailabilityUnavailable {
                        return nil
                    }
                }
                let otherwise: SnapshotVersion.Source? = fallsBack ? .ledger : nil
                #expect(try await source() == otherwise)
                try await shop.install()
                #expect(try await source() == .redis)
                try await shop.server.command("HSET", shop.keys.stock, "ledger", "another")
                #expect(try await source() == otherwise)
                try await shop.server.command("HSET", shop.keys.stock, "ledger", shop.ledger.identity)
                #expect(try await source() == .redis)
                await shop.server.kill()
                #expect(try await source() == otherwise)
            }
        }
    }

    /// The current source of availability; `nil` if there is none.
    private func source(_ shop: StorefrontFixture) async throws -> SnapshotVersion.Source? {
        do {
            return try await shop.reader.availability(of: ["sheet"]).version.source
        } catch is AvailabilityUnavailable {
            return nil
        }
    }

    @Test("Counters behind the ledger are not served: unavailable, or the ledger's availability")
    func behind() async throws {
        for fallsBack in [false, true] {
            try await withStorefront(fallsBackToLedger: fallsBack) { shop in
                let otherwise: SnapshotVersion.Source? = fallsBack ? .ledger : nil
                try await shop.sell(1, of: "p:sheet")
                try await shop.server.command("COPY", shop.keys.stock, "old")
                try await shop.record("a")
                await shop.watch.poll()
                #expect(try await source(shop) == .redis)
                try await shop.sell(1, of: "p:sheet")
                try await shop.record("b")
                await shop.watch.poll()
                #expect(try await source(shop) == .redis)
                try await shop.server.command("COPY", "old", shop.keys.stock, "REPLACE")
                #expect(try await source(shop) == otherwise)
                if fallsBack { #expect(try await shop.sold("sheet") == 2) }
                try await shop.install()
                #expect(try await source(shop) == .redis)
                #expect(try await shop.sold("sheet") == 2)
            }
        }
    }

    @Test("An epoch that is being installed withholds nothing, and that of a restored ledger is current")
    func epochs() async throws {
        try await withStorefront { shop in
            try await shop.sell(1, of: "p:sheet")
            try await shop.record("a")
            _ = try await shop.ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
            await shop.watch.poll()
            #expect(try await source(shop) == .redis)
            // A later epoch begins at its ledger's seq, whatever the previous one had.
            try await shop.server.command("HSET", shop.keys.stock, "epoch", "9", "seq", "0")
            #expect(try await source(shop) == .redis)
            try await shop.server.command("HSET", shop.keys.stock, "epoch", "2", "seq", "0")
            #expect(try await source(shop) == nil)
        }
    }

    @Test("A ledger that was replaced is neither compared with the counters nor served")
    func replacedLedger() async throws {
        try await withStorefront(fallsBackToLedger: true) { shop in
            try await shop.record("a")
            await shop.watch.poll()
            #expect(try await source(shop) == .ledger)
            shop.place.replace()
            await shop.watch.poll()
            #expect(try await source(shop) == .redis)
            await shop.server.kill()
            #expect(try await source(shop) == nil)
        }
    }

    @Test("A counter that is missing or malformed is unknown, never 0")
    func nonsense() async throws {
        try await withStorefront { shop in
            for value in ["-1", "many", "9223372036854775808", ""] {
                for counter in ["p:lamp", "v:black"] {
                    try await shop.server.command("HSET", shop.keys.stock, "sold:\(counter)", value)
                }
                // For neither can the units left be known, yet neither is unknown to the catalogue.
                for id: Identifier in ["lamp", "cube"] {
                    await #expect(throws: AvailabilityUnavailable.self, "\(value)") { try await shop.sold(id) }
                }
            }
            try await shop.server.command("HSET", shop.keys.stock, "sold:p:lamp", "9223372036854775807")
            #expect(
                try await shop.reader.availability(of: ["lamp"]).availability[0].availability.product.available == 0)
            try await shop.server.command("HSET", shop.keys.stock, "cap:p:lamp", "-9223372036854775808")
            #expect(
                try await shop.reader.availability(of: ["lamp"]).availability[0].availability.product.available == 0)
        }
    }

    @Test("More counters than fit into one command are read in one round trip, and from one epoch")
    func manyCounters() async throws {
        let products = (0..<3_000).map {
            Product(id: Identifier("p\($0)"), name: "n", category: "c", devStatus: 5, basePrice: 1, cap: 9)
        }
        try await withStorefront(Catalogue(categories: ["c"], products: products)) { shop in
            try await shop.sell(4, of: "p:p0", "p:p999", "p:p1000", "p:p2999")
            let (version, availability) = try await shop.reader.availability(of: products.map(\.id))
            #expect(version.seq == 1)
            let sold = availability.filter { $0.availability.product.sold == 4 }.map(\.product.id)
            #expect(sold == ["p0", "p999", "p1000", "p2999"])
        }
    }

    // MARK: - The catalogue

    @Test("A new catalogue takes effect once its counters are installed, without prior reads of the ledger")
    func newCatalogue() async throws {
        try await withStorefront { shop in
            var catalogue = Catalogue.sample
            catalogue.products[1].cap = 8
            catalogue.products.append(
                Product(id: "new", name: "New", category: "kit", devStatus: 5, basePrice: 1, cap: 2))
            _ = try await shop.ledger.sync(catalogue)
            await #expect(throws: Problem.self) { try await shop.sold("new") }
            try await shop.install()
            #expect(try await shop.sold("new") == 0)
            #expect(shop.reader.catalogue.view.version == 2)
            let lamp = try await shop.reader.availability(of: ["lamp"]).availability[0]
            #expect(lamp.availability.product.cap == 8)
        }
    }

    @Test(
        "A variant that is not installed yet is omitted, but its product is not; a new product is unknown"
    )
    func newVariant() async throws {
        try await withStorefront { shop in
            var catalogue = Catalogue.sample
            catalogue.products[0].variants.append(Variant(id: "blue", name: "Blue"))
            catalogue.products[1].variants.append(Variant(id: "tall", name: "Tall"))
            _ = try await shop.ledger.sync(catalogue)
            // A process that starts now knows the new catalogue, but the old counters.
            let newcomer = try await shop.secondStorefront()
            let cube = try await newcomer.availability(of: ["cube"]).availability[0].availability
            #expect(cube.variants.map(\.id) == ["black", "red"])
            await #expect(throws: Problem.self) { try await newcomer.availability(of: ["lamp"]) }
            try await shop.install()
            let after = try await newcomer.availability(of: ["cube", "lamp"]).availability.map(\.availability)
            #expect(after[0].variants.map(\.id) == ["black", "red", "blue"])
            #expect(after[1].variants.map(\.id) == ["tall"])
        }
    }

    @Test("A closed product is found and marked as closed")
    func closed() async throws {
        try await withStorefront { shop in
            var catalogue = Catalogue.sample
            catalogue.products.removeLast()
            _ = try await shop.ledger.sync(catalogue)
            try await shop.install()
            let sheet = try await shop.reader.availability(of: ["sheet"]).availability[0].availability.product
            #expect(!sheet.isActive && !sheet.isAvailable)
        }
    }

    @Test("A product that has lost its variants is sold without one")
    func lostVariants() async throws {
        try await withStorefront { shop in
            var catalogue = Catalogue.sample
            catalogue.products[0].variants = []
            _ = try await shop.ledger.sync(catalogue)
            try await shop.install()
            let cube = try await shop.reader.availability(of: ["cube"]).availability[0].availability
            #expect(cube.product.isAvailable && cube.variants.allSatisfy { !$0.isActive && !$0.isAvailable })
            let stocked = try await shop.ledger.stock().products.first { $0.id == "cube" }
            #expect(stocked?.availability().product.isAvailable == true)
        }
    }

    @Test("A reader also sees a new catalogue that another reader loads during its read")
    func catalogueOfAnother() async throws {
        try await withStorefront { shop in
            var catalogue = Catalogue.sample
            catalogue.products[0].variants.append(Variant(id: "blue", name: "Blue"))
            _ = try await shop.ledger.sync(catalogue)
            try await shop.install()
            let (_, products, _) = try await shop.reader.read { view in
                if view.version == 1 {
                    // Between this reader's read of the catalogue and its read of the counters.
                    let isDone = DispatchSemaphore(value: 0)
                    Task.detached {
                        _ = try? await shop.sold("lamp")
                        isDone.signal()
                    }
                    _ = isDone.wait(timeout: .now() + 10)
                }
                return [view["cube"]].compactMap { $0 }
            }
            #expect(products.first?.variants.map(\.id) == ["black", "red", "blue"])
        }
    }
}
