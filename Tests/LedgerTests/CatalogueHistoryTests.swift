import Domain
import Ledger
import LedgerSamples
import Testing

/// The record of catalogue changes.
@Suite("The catalogue's history")
struct CatalogueHistoryTests {
    /// The changes in words, latest first.
    private func history(_ fixture: LedgerFixture, of id: Identifier? = nil) async throws -> [String] {
        try await fixture.ledger.catalogueChanges(of: id, limit: 99, after: nil).elements.map {
            "\($0.version) \($0.kind.rawValue) \($0.counter.level.rawValue) \($0.counter.id)"
                + ($0.column.map { " \($0.text)" } ?? "")
        }
    }

    @Test(
        "has every product and variant from the start, and each changed column with its old and new value",
        arguments: Backend.allCases)
    func columns(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            #expect(
                try await history(fixture).reversed() == [
                    "1 added product cube", "1 added variant black", "1 added variant white", "1 added product sheet",
                    "1 added product kit",
                ])
            var catalogue = Catalogue.sample
            catalogue.products[0].cap = 99
            catalogue.products[0].longDescription = String(repeating: "x", count: 31)
            _ = try await fixture.ledger.sync(catalogue, by: "maria")
            let black = catalogue.products[0].variants.removeFirst()
            _ = try await fixture.ledger.sync(catalogue)
            catalogue.products[0].variants.insert(black, at: 0)
            catalogue.products[0].variants[0].cap = nil
            _ = try await fixture.ledger.sync(catalogue, by: "otto")

            let cube = try await fixture.ledger.catalogueChanges(of: "cube", limit: 2, after: nil)
            #expect(
                cube.elements.map(\.column) == [
                    ColumnChange(column: "max_quantity", before: .integer(10), after: .integer(99)),
                    ColumnChange(
                        column: "long_description", before: .none, after: .text(String(repeating: "x", count: 31))),
                ])
            #expect(cube.elements.allSatisfy { $0.by == "maria" && $0.version == 2 && $0.place.text == "0:2" })
            let rest = try await fixture.ledger.catalogueChanges(of: "cube", limit: 2, after: cube.next)
            #expect(rest.elements.map(\.kind) == [.added] && rest.elements[0].by == nil && rest.next == nil)
            #expect(
                try await history(fixture, of: "black") == [
                    "4 changed variant black max_quantity 6 → unlimited", "4 reopened variant black",
                    "3 closed variant black", "1 added variant black",
                ])
            let journal = try await fixture.ledger.journal(after: 0, limit: 9)
            #expect(journal.map(\.by) == [nil, "maria", nil, "otto"])
        }
    }

    @Test("has no entries for a dry run or for a file that changes nothing", arguments: Backend.allCases)
    func nothing(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await history(fixture)
            var catalogue = Catalogue.sample
            catalogue.products.swapAt(0, 1)
            _ = try await fixture.ledger.sync(catalogue)
            catalogue.products[0].cap = 3
            _ = try await fixture.ledger.changes(by: catalogue)
            #expect(try await history(fixture) == before)
            #expect(try await history(fixture, of: "none") == [])
        }
    }
}
