import Intake
import Inventory
import Ledger
import TestSupport
import Testing

@testable import Consumer

@Suite("Which entries go into one batch")
struct PreparationTests {
    private func adjustment(_ id: String, entry: String) -> DecodedEntry {
        let payload = #"{"adjustment_id":"\#(id)","product_id":"lamp","sold":-1,"reason":"r"}"#
        return Decoding.decode(
            StreamEntry(
                id: entry,
                fields: [
                    .init(name: Array("type".utf8), value: Array("stock.adjusted".utf8)),
                    .init(name: Array("payload".utf8), value: Array(payload.utf8)),
                ]))
    }

    @Test(
        "An adjustment comes first in its batch, also where a Redis that lost its tail gave its id to another one before",
        arguments: [["1-0", "2-0"], ["1-0", "1-0"]])
    func adjustments(entries: [String]) async throws {
        try await withTemporaryFolder { folder async throws in
            let path = folder.path(of: "ledger.db")
            try await LedgerDatabase.create(at: path, store: "main")
            let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .tool)
            let lamp = Product(id: "lamp", name: "n", category: "c", devStatus: 5, basePrice: 1)
            _ = try await ledger.sync(Catalog(categories: ["c"], products: [lamp]), dryRun: false)
            let start = try await ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
            let preparation = Preparation(
                ledger: ledger, catalog: start.catalog, maximumLines: 100, deadLetters: DeadLetterMaker(keptBytes: 9))
            let decoded = zip(["a", "b"], entries).map { adjustment($0, entry: $1) }
            let first = try await preparation.skip(decoded, inFlight: InFlight())
            // Together they could take away what only one of them may.
            #expect(first.entries.count == 1)
            var underWay = InFlight()
            underWay.isUnderWay = true
            #expect(try await preparation.skip(decoded, inFlight: underWay).entries.isEmpty)
            try ledger.close()
        }
    }
}
