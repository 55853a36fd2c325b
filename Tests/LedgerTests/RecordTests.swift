import Domain
import Ledger
import LedgerSamples
import Testing

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let kit = CounterName.product("kit")

@Suite("Recording a batch")
struct RecordTests {
    @Test("stores every field of the message", arguments: Backend.allCases)
    func allFields(_ backend: Backend) async throws {
        let checkout = Checkout(
            orderID: "cs_1", paymentIntentID: "pi_1", completedAt: "2026-11-22T09:59:58Z",
            customer: .init(id: "c-id", email: "c-email", name: "c-name"), currency: "usd", subtotal: 11, tax: 12,
            shipping: 13, total: 36,
            items: [
                .init(
                    productID: "cube", variantID: "black", units: 2, unitPrice: 5, stripeProductID: "prod",
                    productName: "p-name", variantName: "v-name"),
                .init(productID: "sheet", units: 1, unitPrice: 0),
            ],
            shippingAddress: .init(
                name: "s", line1: "s-1", line2: "s-2", city: "s-city", state: "s-state", postalCode: "s-code",
                country: "US"))
        try await withLedger(on: backend) { fixture async throws in
            _ = try await fixture.ledger.raiseEpoch()
            #expect(try await fixture.record(order(checkout, .accepted(seq: 1))) == .recorded(position: 2))
            let recorded = try #require(try await fixture.ledger.order("cs_1"))
            #expect(recorded.checkout == checkout)
            #expect(recorded.status == .accepted && recorded.shortage == nil && recorded.seq == 1)
            #expect(recorded.epoch == 1 && recorded.units == 3)
            #expect(recorded.decidedAt == "2026-11-22T10:00:00.000Z" && recorded.entryID == "cs_1-0")
            let prior = try await fixture.ledger.priorState(for: BatchLookup(keys: [.order("cs_1")]))
            #expect(prior.decisions[.order("cs_1")]?.digest == checkout.contentDigest)
        }
    }

    @Test("adds up sold units at both levels, in the order of the stream", arguments: Backend.allCases)
    func sums(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let answer = try await fixture.record(
                order("o1", [("cube", "black", 3), ("cube", "white", 1)], .accepted(seq: 1)),
                order("o2", [("cube", "black", 4)], refused(black, asked: 4, left: 3)),
                order("o3", [("cube", "black", 3), ("kit", nil, 3), ("sheet", nil, 7)], .accepted(seq: 2)),
                order("o4", [("cube", "white", 4)], refused(cube, asked: 4, left: 3)),
                order("o5", [("kit", nil, 1)], refused(kit, asked: 1, left: 0)),
                order("o6", [("cube", "white", 3)], .accepted(seq: 3)))
            #expect(answer == .recorded(position: 7))
            #expect(
                try await fixture.sold() == [
                    cube: 10, black: 6, .variant("white"): 4, kit: 3, .product("sheet"): 7,
                ])
            #expect(try await fixture.ledger.head() == LedgerHead(epoch: 0, seq: 3, position: 7, catalogueVersion: 1))
            #expect(try await fixture.ledger.check().isSound)
        }
    }

    @Test("keeps a refusal's reason and the requested and remaining units", arguments: Backend.allCases)
    func refusals(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order("some left", [("kit", nil, 4)], refused(kit, asked: 4, left: 3)),
                order("taken", [("kit", nil, 3)], .accepted(seq: 1)),
                order("none left", [("kit", nil, 1)], refused(kit, asked: 1, left: 0)))
            let some = try #require(try await fixture.ledger.order("some left"))
            let none = try #require(try await fixture.ledger.order("none left"))
            #expect(some.shortage == Shortage(counter: kit, asked: 4, left: 3))
            #expect(none.shortage == Shortage(counter: kit, asked: 1, left: 0))
            #expect([some, none].allSatisfy { $0.status == .refused && $0.seq == nil })
            #expect(some.checkout.items.count == 1)
            #expect([some, none].map(\.shortage?.reason) == [.insufficient, .soldOut])
            #expect(try await fixture.ledger.refusedOrders() == [kit: 2])
        }
    }

    @Test("continues from one batch to the next without a gap", arguments: Backend.allCases)
    func chain(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            for seq in 1...5 as ClosedRange<Int64> {
                let answer = try await fixture.record(
                    order(Identifier("o\(seq)"), [("sheet", nil, 1)], .accepted(seq: seq)))
                #expect(answer == .recorded(position: seq + 1))
            }
            let orders = try await fixture.ledger.orders(status: nil, limit: 9, after: nil).elements
            #expect(orders.map(\.seq) == [5, 4, 3, 2, 1])
        }
    }

    @Test(
        "of dead letters and refusals only takes no seq, and an empty one changes nothing", arguments: Backend.allCases
    )
    func withoutChange(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            #expect(try await fixture.record() == .recorded(position: 1))
            #expect(try await fixture.everything() == before)
            let answer = try await fixture.record(
                deadLetter("1-0"), order("o", [("kit", nil, 4)], refused(kit, asked: 4, left: 3)))
            #expect(answer == .recorded(position: 3))
            #expect(try await fixture.ledger.head().seq == 0)
        }
    }

    @Test("stores a dead letter once per entry id and content, whole", arguments: Backend.allCases)
    func deadLetters(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                deadLetter("1-0", fingerprint: [1], payload: [0, 0xFF]), deadLetter("1-0", fingerprint: [2]),
                deadLetter("2-0", fingerprint: [1], reason: .unknownProduct, payload: nil))
            // Read again, after a crash.
            let again = try await fixture.record(
                order("o", [("sheet", nil, 1)], .accepted(seq: 1)),
                deadLetter("1-0", fingerprint: [1], reason: .wrongType, payload: [7]))
            #expect(again == .outdated(try await fixture.ledger.head()))
            #expect(try await fixture.ledger.orderCount() == 0)
            let page = try await fixture.ledger.deadLetters(reason: nil, status: nil, limit: 10, after: nil)
            #expect(page.elements.map(\.entryID) == ["2-0", "1-0", "1-0"] && page.next == nil)
            let first = try #require(try await fixture.ledger.deadLetter(1))
            #expect(first.reason == "invalid_json" && first.detail == "detail" && first.payload == [0, 0xFF])
            #expect(first.type == Array("t".utf8) && first.fields == nil && first.ids == [:])
            #expect(first.receivedAt == "2026-11-22T10:00:00.000Z")
            #expect(try await fixture.ledger.deadLetter(3)?.payload == nil)
            #expect(try await fixture.ledger.deadLetter(4) == nil)
        }
    }

    @Test("keeps the whole entry of a dead letter that was more than a type and a payload", arguments: Backend.allCases)
    func wholeEntry(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let record = NewDeadLetter(
                key: EntryIdentity(entryID: "1-0", fingerprint: [1]), cause: InvalidMessage(.missingType, "d"),
                type: nil,
                payload: nil, fields: [1, 2, 3], bytes: 3,
                ids: [.placeOrder: "o", .cancel: "c", .adjust: "a"], receivedAt: "now")
            try await fixture.record(.deadLetter(record))
            let found = try #require(try await fixture.ledger.deadLetter(1))
            #expect(found.fields == [1, 2, 3] && found.type == nil && found.payload == nil)
            #expect(found.ids == record.ids)
        }
    }

    @Test(
        "accepts any number of orders and lines, each with its own values, and finds them again",
        arguments: Backend.allCases, [1, 15, 16, 17, 33])
    func sizes(_ backend: Backend, _ count: Int) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let checkouts = (1...count).map { number -> Checkout in
                let items = (0...number % 3).map { line -> Checkout.Item in
                    let name = line == 1 ? "l\(number)" : nil
                    return .init(
                        productID: "sheet", units: Int64(number + line), unitPrice: 1, productName: name)
                }
                let customer = number % 2 == 0 ? Checkout.Customer(name: "n\(number)") : nil
                return Checkout(
                    orderID: Identifier("o\(number)"), customer: customer, total: Int64(number), items: items)
            }
            try await fixture.record(
                checkouts.enumerated().map { order($0.element, .accepted(seq: Int64($0.offset + 1))) })
            for checkout in checkouts {
                #expect(try await fixture.ledger.order(checkout.orderID)?.checkout == checkout)
            }
            let known = try await fixture.ledger.priorState(
                for: BatchLookup(keys: checkouts.map { .order($0.orderID) }))
            #expect(known.decisions.count == count)
            for checkout in checkouts {
                #expect(known.decisions[.order(checkout.orderID)]?.digest == checkout.contentDigest)
            }
            #expect(try await fixture.ledger.check().isSound)
        }
    }

    @Test(
        "with an order that is already recorded records nothing, and is reported as outdated",
        arguments: Backend.allCases
    )
    func orderTwice(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("kit", nil, 1)], .accepted(seq: 1)))
            let before = try await fixture.everything()
            let head = try await fixture.ledger.head()
            let again = try await fixture.record(
                deadLetter("1-0"), order("new", [("kit", nil, 1)], .accepted(seq: 2)),
                order("o", [("kit", nil, 1)], .accepted(seq: 3)))
            #expect(again == .outdated(head))
            let twice = try await fixture.record(
                order("new", [("kit", nil, 1)], .accepted(seq: 2)), order("new", [("kit", nil, 1)], .accepted(seq: 3)))
            #expect(twice == .outdated(head))
            #expect(try await fixture.everything() == before)
        }
    }

    @Test(
        "with a product or a variant that the ledger lacks is an error",
        arguments: Backend.allCases, [("none", nil), ("cube", "none")] as [(Identifier, Identifier?)])
    func unknownCounter(_ backend: Backend, _ sku: (product: Identifier, variant: Identifier?)) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let found = await kind {
                try await fixture.record(
                    order("new", [("kit", nil, 1)], .accepted(seq: 1)),
                    order("o", [(sku.product, sku.variant, 1)], .accepted(seq: 2)))
            }
            // The batch has the current catalogue version: the ledger must have the counter.
            let level = sku.variant == nil ? "product" : "variant"
            #expect(found == .damaged(finding: "no \(level) none in the ledger"))
            #expect(try await fixture.everything() == before)
        }
    }
}
