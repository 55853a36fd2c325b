import Domain
import Synchronization
import Ledger
import LedgerSamples
import Testing

private typealias Change = CatalogueChanges.Change

@Suite("Syncing the catalogue into the ledger")
struct SyncTests {
    private let cube = CounterName.product("cube")

    /// The sample with one change.
    private func changed(_ change: (inout Catalogue) -> Void) -> Catalogue {
        var catalogue = Catalogue.sample
        change(&catalogue)
        return catalogue
    }

    @Test("adds everything to a new ledger, and changes nothing the second time", arguments: Backend.allCases)
    func addsOnce(_ backend: Backend) async throws {
        try await withLedger(on: backend, nil) { fixture async throws in
            let first = try await fixture.ledger.sync(.sample)
            let names: [CounterName] = [
                cube, .variant("black"), .variant("white"), .product("sheet"), .product("kit"),
            ]
            #expect(first.changes == names.map { Change(kind: .added, counter: $0, columns: []) })
            #expect(first.version == 1 && first.unchanged == 0 && first.warnings.isEmpty)
            let before = try await fixture.everything()
            let second = try await fixture.ledger.sync(.sample)
            #expect(second.isEmpty && second.unchanged == 5 && second.version == 1)
            #expect(try await fixture.everything() == before)
        }
    }

    @Test("keeps every field of the file", arguments: Backend.allCases)
    func fields(_ backend: Backend) async throws {
        let catalogue = Catalogue(
            categories: ["c"],
            products: [
                Product(
                    id: "p", name: "name", description: "short", longDescription: "long", category: "c", devStatus: 4,
                    basePrice: 123, stripeProductID: "prod_1", requiresAssembly: true, cap: 7,
                    images: "[\"a\"]", specs: "{\"s\":1}", metadata: "{\"m\":2}",
                    variants: [
                        Variant(
                            id: "v", name: "vn", description: "vd", stripeProductID: "prod_2", cap: 3,
                            images: "[\"b\"]", specs: "{}", metadata: "{\"m\":3}")
                    ])
            ])
        try await withLedger(on: backend, catalogue) { fixture async throws in
            let shown = try #require(try await fixture.ledger.listing().products.first)
            let product = catalogue.products[0]
            #expect(shown.id == product.id && shown.name == "name" && shown.description == "short")
            #expect(shown.longDescription == "long" && shown.category == "c" && shown.devStatus == 4)
            #expect(shown.basePrice == 123 && shown.requiresAssembly && shown.isActive)
            #expect(shown.images == product.images && shown.specs == product.specs)
            let variant = try #require(shown.variants.first)
            #expect(variant.id == "v" && variant.name == "vn" && variant.description == "vd")
            #expect(variant.images == product.variants[0].images && variant.specs == "{}")
            let (_, states) = try await fixture.ledger.states(of: [.product("p"), .variant("v"), .variant("none")])
            #expect(
                states == [
                    CounterState(sold: 0, cap: 7, isActive: true), CounterState(sold: 0, cap: 3, isActive: true), nil,
                ])
        }
    }

    /// A change of the sample, and how it is reported.
    private static let edits: [(@Sendable (inout Catalogue) -> Void, [Edit])] = [
        ({ $0.products[0].cap = 12 }, [edit(.product("cube"), "max_quantity 10 → 12")]),
        ({ $0.products[0].cap = nil }, [edit(.product("cube"), "max_quantity 10 → unlimited")]),
        ({ $0.products[1].cap = 5 }, [edit(.product("sheet"), "max_quantity unlimited → 5")]),
        ({ $0.products[0].variants[0].cap = nil }, [edit(.variant("black"), "max_quantity 6 → unlimited")]),
        ({ $0.products[0].name = "Die" }, [edit(.product("cube"), "name \"Cube\" → \"Die\"")]),
        ({ $0.products[0].description = "d" }, [edit(.product("cube"), "description none → \"d\"")]),
        (
            { $0.products[2].longDescription = String(repeating: "long ", count: 20) },
            [edit(.product("kit"), "long_description")]
        ),
        (
            { (catalogue: inout Catalogue) in
                catalogue.products[2].basePrice = 1
                catalogue.products[2].devStatus = 0
            },
            [edit(.product("kit"), "dev_status 5 → 0", "base_price 2000 → 1")]
        ),
        (
            { $0.products.swapAt(1, 2) },
            []
        ),
        ({ $0.categories.append("new") }, []),
    ]

    /// A counter's change, in words.
    private struct Edit: Equatable {
        var counter: CounterName
        var columns: [String]
    }

    private static func edit(_ counter: CounterName, _ columns: String...) -> Edit {
        Edit(counter: counter, columns: columns)
    }

    @Test(
        "reports what changes, raises the version, and leaves sold units alone", arguments: Backend.allCases,
        edits.indices)
    func saysWhatChanges(_ backend: Backend, _ index: Int) async throws {
        let (change, expected) = Self.edits[index]
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order("o", [("cube", "black", 2), ("kit", nil, 1), ("sheet", nil, 4)], .accepted(seq: 1)))
            let sold = try await fixture.sold()
            let changes = try await fixture.ledger.sync(changed(change))
            let version: Int64 = expected.isEmpty ? 1 : 2
            #expect(changes.changes.allSatisfy { $0.kind == .changed })
            #expect(
                changes.changes.map { Edit(counter: $0.counter, columns: $0.columns.map(\.text)) } == expected)
            #expect(changes.version == version && changes.warnings.isEmpty)
            #expect(changes.unchanged == 5 - expected.count)
            #expect(
                try await fixture.ledger.head()
                    == LedgerHead(epoch: 0, seq: 1, position: 1 + version, catalogueVersion: version))
            #expect(try await fixture.sold() == sold)
            #expect(try await fixture.ledger.stock().products.map(\.id) == changed(change).products.map(\.id))
            let again = try await fixture.ledger.changes(by: changed(change))
            #expect(again.isEmpty)
        }
    }

    @Test("reports the same on a dry run and writes nothing", arguments: Backend.allCases, edits.indices)
    func dryRun(_ backend: Backend, _ index: Int) async throws {
        let change = Self.edits[index].0
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let dry = try await fixture.ledger.changes(by: changed(change))
            #expect(try await fixture.everything() == before)
            let real = try await fixture.ledger.sync(changed(change))
            #expect(dry.changes == real.changes && dry.version == 1 && real.version == (real.isEmpty ? 1 : 2))
        }
    }

    @Test("closes products missing from the file, and reopens them with their sold units", arguments: Backend.allCases)
    func closesAndReopens(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("cube", "black", 2)], .accepted(seq: 1)))
            let closing = try await fixture.ledger.sync(changed { $0.products.removeFirst() })
            let gone: [CounterName] = [cube, .variant("black"), .variant("white")]
            #expect(closing.changes.filter { $0.kind == .closed }.map(\.counter) == gone)
            let closed = try await fixture.ledger.counters(withChangesAfter: 0).counters
            #expect(closed[cube] == CounterState(sold: 2, cap: 10, isActive: false))
            #expect(closed[.variant("black")] == CounterState(sold: 2, cap: 6, isActive: false))
            #expect(closed[.product("kit")]?.isActive == true)
            #expect(try await fixture.ledger.stock().products.last?.id == "cube")

            let still = try await fixture.ledger.sync(changed { $0.products.removeFirst() })
            #expect(still.isEmpty && still.version == 2)

            let opening = try await fixture.ledger.sync(changed { $0.products[0].cap = 8 })
            let reopened = opening.changes.filter { $0.kind == .reopened }
            #expect(reopened.map(\.counter) == gone)
            #expect(reopened.map { $0.columns.map(\.text) } == [["max_quantity 10 → 8"], [], []])
            let open = try await fixture.ledger.counters(withChangesAfter: 0).counters
            #expect(open[cube] == CounterState(sold: 2, cap: 8, isActive: true))
            #expect(open[.variant("black")] == CounterState(sold: 2, cap: 6, isActive: true))
        }
    }

    @Test("closes a single variant", arguments: Backend.allCases)
    func closesVariant(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let changes = try await fixture.ledger.sync(
                changed { $0.products[0].variants.removeLast() })
            #expect(changes.changes == [Change(kind: .closed, counter: .variant("white"), columns: [])])
            let stock = try await fixture.ledger.stock().products
            #expect(stock.flatMap(\.variants).filter { !$0.state.isActive }.map(\.id) == ["white"])
            #expect(stock.allSatisfy { $0.state.isActive })
        }
    }

    @Test("warns of a cap below the units already sold, at both levels", arguments: Backend.allCases, [true, false])
    func capBelowSold(_ backend: Backend, dryRun: Bool) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("cube", "black", 5)], .accepted(seq: 1)))
            let lowered = changed {
                $0.products[0].cap = 4
                $0.products[0].variants[0].cap = 4
            }
            let changes = try await fixture.ledger.sync(lowered, dryRun: dryRun)
            #expect(
                changes.warnings == [
                    "product cube: max_quantity 4 is below the 5 already sold; no more can be sold",
                    "variant black: max_quantity 4 is below the 5 already sold; no more can be sold",
                ])
            let level = try await fixture.ledger.changes(by: changed { $0.products[0].cap = 5 })
            #expect(level.warnings.isEmpty)
        }
    }

    @Test(
        "refuses to move variants to other products, names all of them, and writes nothing",
        arguments: Backend.allCases, [true, false])
    func moves(_ backend: Backend, dryRun: Bool) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let moved = changed { catalogue in
                catalogue.categories.append("new")
                let variants = catalogue.products[0].variants
                catalogue.products[0].variants = []
                catalogue.products[2].variants = [variants[1]]
                var another = catalogue.products[2]
                another.id = "another"
                another.variants = [Variant(id: "fresh", name: "Fresh"), variants[0]]
                catalogue.products.append(another)
            }
            let error = await #expect(throws: MovedVariant.self) {
                try await fixture.ledger.sync(moved, dryRun: dryRun)
            }
            #expect(
                error?.moves == [
                    .init(
                        path: "products[2].variants[0].id", variant: "white", ledgerProduct: "cube", fileProduct: "kit"),
                    .init(
                        path: "products[3].variants[1].id", variant: "black", ledgerProduct: "cube",
                        fileProduct: "another"),
                ])
            #expect(try await fixture.everything() == before)
        }
    }

    @Test("keeps ids apart that differ only by case or by how an accent is composed", arguments: Backend.allCases)
    func similarIDs(_ backend: Backend) async throws {
        let ids: [Identifier] = ["cafe", "Cafe", "caf\u{E9}", "cafe\u{301}"]
        let catalogue = Catalogue(
            categories: ["c"],
            products: ids.map { Product(id: $0, name: "n", category: "c", devStatus: 5, basePrice: 1, cap: 9) })
        try await withLedger(on: backend, catalogue) { fixture async throws in
            for (index, id) in ids.enumerated() {
                let lines: [Line] = [(id, nil, Int64(index) + 1)]
                // The orders' own ids are as similar.
                try await fixture.record(order(id, lines, .accepted(seq: Int64(index) + 1)))
            }
            let sold = try await fixture.sold()
            #expect(ids.map { sold[.product($0)] } == [1, 2, 3, 4])
            let known = try await fixture.ledger.priorState(for: BatchLookup(keys: ids.map { .order($0) }))
            #expect(ids.map { known.decisions[.order($0)]?.outcome.outcome.units } == [1, 2, 3, 4])
            let again = try await fixture.ledger.sync(catalogue)
            #expect(again.isEmpty && again.unchanged == 4)
        }
    }

    @Test("reports its progress through a large catalogue", arguments: Backend.allCases)
    func progress(_ backend: Backend) async throws {
        let products = (0..<2_500).map {
            Product(id: Identifier("p\($0)"), name: "n", category: "c", devStatus: 5, basePrice: 1)
        }
        try await withLedger(on: backend, nil) { fixture async throws in
            let reports = Reports()
            let changes = try await fixture.ledger.sync(
                Catalogue(categories: ["c"], products: products), by: nil, progress: { reports.add($0) })
            #expect(changes.changes.count == 2_500)
            #expect(reports.counts == [1_000, 2_000])
            #expect(try await fixture.ledger.stock().products.map(\.id) == products.map(\.id))
        }
    }
}

private final class Reports: Sendable {
    private let state = Mutex([Int]())

    var counts: [Int] { state.withLock { $0 } }

    func add(_ count: Int) { state.withLock { $0.append(count) } }
}
