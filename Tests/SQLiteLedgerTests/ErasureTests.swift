import Foundation
import GRDB
import Domain
import Ledger
import LedgerSamples
import TestSupport
import Testing

@testable import SQLiteLedger

/// Removed data is erased from the file and its log.
@Suite struct ErasureTests {
    private func personal(_ id: Identifier, _ marker: String) -> Checkout {
        Checkout(
            orderID: id, paymentIntentID: "pi-\(marker)", completedAt: "2026-11-22T10:00:00Z",
            customer: .init(id: "cus-\(marker)", email: "\(marker)@example.com", name: "Ada \(marker)"),
            currency: "usd", total: 100, items: [.init(productID: "sheet", units: 1, unitPrice: 100)],
            shippingAddress: .init(
                name: "Ada \(marker)", line1: "1 \(marker) Road", line2: marker, city: marker, state: marker,
                postalCode: marker, country: "GB"))
    }

    @Test("A wrong sum of the dead letters' bytes is found")
    func wrongBytes() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(deadLetter("1-0"), deadLetter("2-0"), deadLetter("3-0"))
            try fixture.tamper("UPDATE ledger SET dead_letter_bytes = 7")
            let check = try await fixture.ledger.check()
            #expect(check.missingDeadLetterBytes == 1 && !check.isSound)
        }
    }

    // checkpoint:  count wishes | TRUNCATE | clear
    // erase:                             erase
    @Test("Data erased during a checkpoint waits for the next one")
    func erasedBesideCheckpoint() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(order("a", [("sheet", nil, 1)], .accepted(seq: 1)))
            try await fixture.record(order("b", [("sheet", nil, 1)], .accepted(seq: 2)))
            _ = try await fixture.ledger.erase(["a"])
            let wishes = try await fixture.ledger.checkpointRequests()
            _ = try await fixture.ledger.erase(["b"])
            #expect(try await fixture.ledger.completeCheckpointRequests(wishes) == false)
            #expect(try await !fixture.ledger.isErasureComplete())
            #expect(try await fixture.ledger.completeErasure())
            #expect(try await fixture.ledger.isErasureComplete())
        }
    }

    @Test("The closed file holds no byte of erased orders, cancelled ones included, or discarded dead letters")
    func bytes() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path(of: "ledger.db")
        try await LedgerDatabase.create(at: path, store: "main")
        let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
        _ = try await ledger.sync(.sample)
        let fixture = LedgerFixture(folder: folder, ledger: ledger)
        let ids = (1...200 as ClosedRange<Int64>).map { Identifier("o\($0)") }
        let secret = Array(String(repeating: "CANARY", count: 2_000).utf8)
        for (index, id) in ids.enumerated() {
            let number = Int64(index + 1)
            try await fixture.record(
                order(personal(id, "CANARY"), .accepted(seq: number)),
                deadLetter("\(number)-0", reason: .orderConflict, payload: secret, orderID: id))
        }
        // A cancelled order's row is one byte longer: SQLite writes it to another place.
        for (index, id) in ids.prefix(100).enumerated() {
            let number = Int64(index + 201)
            let answer = try await fixture.record(
                cancellation(
                    Cancellation(cancellationID: Identifier("c\(number)"), orderID: id),
                    of: [SKUUnits(SKU("sheet"), 1)],
                    .accepted(seq: number), entryID: "c-\(number)"))
            #expect(answer == .recorded(position: 201 + number))
        }
        #expect(try await ledger.erase(ids) == .erased(orders: 200, deadLetters: 200, refunds: 0))
        try ledger.close()
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(file.range(of: Data("o200".utf8)) != nil)
        #expect(file.range(of: Data("CANARY".utf8)) == nil)
    }
}
