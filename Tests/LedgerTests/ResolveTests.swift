import Foundation
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

/// Operators' actions on dead letters and customers' data.
@Suite struct ResolveTests {
    @Test("A replay is requested for all selected dead letters, or for none", arguments: Backend.allCases)
    func replay(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                deadLetter("1-0"), deadLetter("2-0"), deadLetter("3-0", reason: .unknownProduct))
            let before = try await fixture.everything()
            #expect(try await fixture.ledger.replay(.numbers([1, 9, 2, 8, 9])) == .unknown([9, 8]))
            #expect(try await fixture.everything() == before)
            #expect(try await fixture.ledger.replay(.numbers([1, 1])) == .done(changed: 1, already: 0))
            #expect(try await fixture.ledger.replay(.numbers([1, 2])) == .done(changed: 1, already: 1))
            #expect(try await fixture.ledger.replay(.reason("invalid_json")) == .done(changed: 0, already: 0))
            #expect(try await fixture.ledger.replay(.reason("unknown_product")) == .done(changed: 1, already: 0))
            #expect(try await fixture.deadLetterStatuses() == [.replay, .replay, .replay])
            #expect(try await fixture.ledger.requestedReplays(limit: 9).map(\.number) == [1, 2, 3])
            // Replayed and discarded dead letters are not open any more.
            try await fixture.record([], replayed: [2])
            #expect(try await fixture.ledger.replay(.numbers([1, 2])) == .refused([(2, .replayed)]))
        }
    }

    @Test(
        "A dead letter that was not kept whole cannot be replayed, and no order wakes it",
        arguments: Backend.allCases)
    func incomplete(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                deadLetter("1-0"), deadLetter("2-0", isWhole: false),
                deadLetter("3-0", reason: .unknownOrder, isWhole: false, orderID: "o"),
                deadLetter("4-0", reason: .unknownOrder, orderID: "o"))
            #expect(try await fixture.ledger.replay(.numbers([1, 2])) == .incomplete([2]))
            #expect(try await fixture.ledger.replay(.reason("invalid_json")) == .incomplete([2]))
            #expect(try await fixture.deadLetterStatuses() == [.open, .open, .open, .open])
            try await fixture.record(order("o", [("sheet", nil, 1)], .accepted(seq: 1)))
            #expect(try await fixture.deadLetterStatuses() == [.open, .open, .open, .replay])
            #expect(try await fixture.ledger.discard(.numbers([2])) == .done(changed: 1, already: 0))
            #expect(try await fixture.ledger.statistics().deadLetterBytes == 6)
            #expect(try await fixture.ledger.check().isSound)
        }
    }

    @Test(
        "A discarded dead letter loses its bytes but stays known; one awaiting its replay is not discarded",
        arguments: Backend.allCases)
    func discard(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(deadLetter("1-0"), deadLetter("2-0"), deadLetter("3-0"))
            _ = try await fixture.ledger.replay(.numbers([2]))
            #expect(try await fixture.ledger.discard(.numbers([1, 2])) == .refused([(2, .replay)]))
            #expect(try await fixture.ledger.discard(.numbers([1, 7])) == .unknown([7]))
            #expect(try await fixture.deadLetterStatuses() == [.open, .replay, .open])
            #expect(try await fixture.ledger.discard(.reason("invalid_json")) == .done(changed: 2, already: 0))
            #expect(try await fixture.deadLetterStatuses() == [.discarded, .replay, .discarded])
            let letter = try #require(try await fixture.ledger.deadLetter(1))
            #expect(letter.type == nil && letter.payload == nil && letter.fields == nil)
            #expect(letter.resolvedAt != nil)
            #expect(try await fixture.ledger.discard(.numbers([1])) == .done(changed: 0, already: 1))
            #expect(try await fixture.ledger.replay(.numbers([1])) == .refused([(1, .discarded)]))
            // Read again, it gets no new row.
            let head = try await fixture.ledger.head()
            #expect(try await fixture.record(deadLetter("1-0")) == .outdated(head))
            #expect(try await fixture.ledger.check().isSound)
            let open = try await fixture.ledger.deadLetters(reason: nil, status: .discarded, limit: 9, after: nil)
            #expect(open.elements.map(\.number) == [3, 1])
        }
    }

    private func personal(_ id: Identifier, _ marker: String) -> Checkout {
        Checkout(
            orderID: id, paymentIntentID: "pi-\(marker)", completedAt: "2026-11-22T10:00:00Z",
            customer: .init(id: "cus-\(marker)", email: "\(marker)@example.com", name: "Ada \(marker)"),
            currency: "usd", total: 100, items: [.init(productID: "sheet", units: 1, unitPrice: 100)],
            shippingAddress: .init(
                name: "Ada \(marker)", line1: "1 \(marker) Road", line2: marker, city: marker, state: marker,
                postalCode: marker, country: "GB"))
    }

    @Test(
        "Erasing an order removes the buyer's data, and keeps the sale and the order's id",
        arguments: Backend.allCases)
    func erase(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let checkout = personal("o", "CANARY")
            try await fixture.record(
                order(checkout, .accepted(seq: 1)), deadLetter("5-0", reason: .orderConflict, orderID: "o"),
                deadLetter("6-0", orderID: "only"), deadLetter("7-0", orderID: "waits"))
            let sold = try await fixture.sold()
            _ = try await fixture.ledger.replay(.numbers([3]))
            let before = try await fixture.everything()
            #expect(try await fixture.ledger.erase(["o", "nobody"]) == .unknown(["nobody"]))
            #expect(try await fixture.ledger.erase(["o", "waits"]) == .awaitsReplay([3]))
            #expect(try await fixture.everything() == before)
            #expect(
                try await fixture.ledger.erase(["o", "only", "o"]) == .erased(orders: 1, deadLetters: 2, refunds: 0))
            #expect(try await !fixture.contents().joined().contains("CANARY"))
            let orderDetails = try await fixture.ledger.orderDetails(of: "o")
            let erased = try #require(orderDetails.order)
            #expect(erased.checkout.customer == nil && erased.checkout.shippingAddress == nil)
            #expect(erased.checkout.total == 100 && erased.checkout.items.count == 1 && erased.status == .accepted)
            #expect(orderDetails.deadLetters.map(\.status) == [.discarded])
            #expect(orderDetails.owned == [SKUUnits(SKU("sheet"), 1)])
            let known = try await fixture.ledger.priorState(for: BatchLookup(keys: [.order("o")]))
            #expect(known.decisions[.order("o")]?.digest == checkout.contentDigest)
            #expect(try await fixture.sold() == sold)
            #expect(try await fixture.ledger.check().isSound)
            // Again: the first erasure's time stays.
            #expect(try await fixture.ledger.erase(["o"]) == .erased(orders: 1, deadLetters: 0, refunds: 0))
            #expect(try await fixture.ledger.order("o")?.erasedAt == erased.erasedAt)
        }
    }
}
