import GRDB
import Inventory
import Testing

import Ledger

@testable import SQLiteLedger

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let kit = CounterName.product("kit")

@Suite("Recording a batch")
struct RecordTests {
    @Test("stores every field of the message")
    func allFields() async throws {
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
        try await withLedger { fixture async throws in
            _ = try await fixture.ledger.raiseEpoch()
            #expect(try await fixture.record(order(checkout, .accepted(seq: 1))) == .recorded(records: 1))
            let recorded = try #require(try await fixture.ledger.order("cs_1"))
            #expect(recorded.checkout == checkout)
            #expect(recorded.status == .accepted && recorded.shortage == nil && recorded.seq == 1)
            #expect(recorded.epoch == 1 && recorded.units == 3)
            #expect(recorded.decidedAt == "2026-11-22T10:00:00.000Z" && recorded.entryID == "cs_1-0")
            // By the public names: what is swapped on the way in and out would not be seen above.
            let columns = try await fixture.texts(
                """
                SELECT concat FROM (SELECT stripe_payment_intent_id || ' ' || completed_at || ' ' || customer_id || ' '
                || customer_email || ' ' || customer_name || ' ' || currency || ' ' || subtotal || ' ' || tax || ' '
                || shipping || ' ' || total || ' ' || shipping_name || ' ' || shipping_line1 || ' ' || shipping_line2
                || ' ' || shipping_city || ' ' || shipping_state || ' ' || shipping_postal_code || ' '
                || shipping_country AS concat FROM orders)
                """)
            #expect(
                columns == [
                    "pi_1 2026-11-22T09:59:58Z c-id c-email c-name usd 11 12 13 36 s s-1 s-2 s-city s-state s-code US"
                ])
            let items = try await fixture.texts(
                """
                SELECT line || ' ' || product_id || ' ' || coalesce(variant_id, '-') || ' ' || quantity || ' '
                || unit_price || ' ' || coalesce(stripe_product_id, '-') || ' ' || coalesce(product_name, '-') || ' '
                || coalesce(variant_name, '-') FROM order_items ORDER BY line
                """)
            #expect(items == ["1 cube black 2 5 prod p-name v-name", "2 sheet - 1 0 - - -"])
            #expect(
                try await fixture.ledger.read { try [UInt8]($0.digests()) } == checkout.contentDigest)
        }
    }

    @Test("adds up what is sold at both levels, in the order of the stream")
    func sums() async throws {
        try await withLedger { fixture async throws in
            let answer = try await fixture.record(
                order("o1", [("cube", "black", 3), ("cube", "white", 1)], .accepted(seq: 1)),
                order("o2", [("cube", "black", 4)], refused(black, asked: 4, left: 3)),
                order("o3", [("cube", "black", 3), ("kit", nil, 3), ("sheet", nil, 7)], .accepted(seq: 2)),
                order("o4", [("cube", "white", 4)], refused(cube, asked: 4, left: 3)),
                order("o5", [("kit", nil, 1)], refused(kit, asked: 1, left: 0)),
                order("o6", [("cube", "white", 3)], .accepted(seq: 3)))
            #expect(answer == .recorded(records: 6))
            #expect(
                try await fixture.sold() == [
                    cube: 10, black: 6, .variant("white"): 4, kit: 3, .product("sheet"): 7,
                ])
            #expect(try await fixture.ledger.head() == LedgerHead(epoch: 0, seq: 3, records: 6, catalogueVersion: 1))
            #expect(try await fixture.ledger.check().isSound)
        }
    }

    @Test("keeps of a refusal why, and what was asked and left")
    func refusals() async throws {
        try await withLedger { fixture async throws in
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
            #expect(
                try await fixture.texts("SELECT reason FROM orders ORDER BY rowid") == [
                    "insufficient", nil, "sold_out",
                ])
            #expect(try await fixture.ledger.refusedOrders() == [kit: 2])
        }
    }

    @Test("goes on from one batch to the next without a gap")
    func chain() async throws {
        try await withLedger { fixture async throws in
            for seq in 1...5 as ClosedRange<Int64> {
                let answer = try await fixture.record(
                    order(Identifier("o\(seq)"), [("sheet", nil, 1)], .accepted(seq: seq)))
                #expect(answer == .recorded(records: seq))
            }
            #expect(try await fixture.texts("SELECT seq FROM orders ORDER BY rowid") == ["1", "2", "3", "4", "5"])
        }
    }

    @Test("of dead letters and refusals alone takes no seq, and an empty one changes nothing")
    func withoutChange() async throws {
        try await withLedger { fixture async throws in
            let before = try await fixture.rows()
            #expect(try await fixture.record() == .recorded(records: 0))
            #expect(try await fixture.rows() == before)
            let answer = try await fixture.record(
                deadLetter("1-0"), order("o", [("kit", nil, 4)], refused(kit, asked: 4, left: 3)))
            #expect(answer == .recorded(records: 2))
            #expect(try await fixture.ledger.head().seq == 0)
        }
    }

    @Test("holds a dead letter once for each entry id and content, whole")
    func deadLetters() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(
                deadLetter("1-0", fingerprint: [1], payload: [0, 0xFF]), deadLetter("1-0", fingerprint: [2]),
                deadLetter("2-0", fingerprint: [1], reason: .unknownProduct, payload: nil))
            // Read again, after a crash.
            let again = try await fixture.record(deadLetter("1-0", fingerprint: [1], reason: .wrongType, payload: [7]))
            #expect(again == .recorded(records: 3))
            let page = try await fixture.ledger.deadLetters(reason: nil, limit: 10, after: nil)
            #expect(page.elements.map(\.entryID) == ["2-0", "1-0", "1-0"] && page.next == nil)
            let first = try #require(try await fixture.ledger.deadLetter(1))
            #expect(first.reason == "invalid_json" && first.detail == "detail" && first.payload == [0, 0xFF])
            #expect(first.type == Array("t".utf8) && first.fields == nil && first.orderID == nil)
            #expect(first.receivedAt == "2026-11-22T10:00:00.000Z")
            #expect(try await fixture.ledger.deadLetter(3)?.payload == nil)
            #expect(try await fixture.ledger.deadLetter(4) == nil)
        }
    }

    @Test("keeps the whole entry of a dead letter that was more than a type and a payload")
    func wholeEntry() async throws {
        try await withLedger { fixture async throws in
            let record = DeadLetterRecord(
                key: EntryKey(entryID: "1-0", fingerprint: [1]), cause: InvalidMessage(.missingType, "d"), type: nil,
                payload: nil, fields: [1, 2, 3], bytes: 3,
                ids: MessageIDs(order: "o", cancellation: "c", adjustment: "a"), receivedAt: "now")
            try await fixture.record(.deadLetter(record))
            let found = try #require(try await fixture.ledger.deadLetter(1))
            #expect(found.fields == [1, 2, 3] && found.type == nil && found.payload == nil)
            #expect([found.orderID, found.cancellationID, found.adjustmentID] == ["o", "c", "a"])
        }
    }

    @Test(
        "takes as many orders and lines as there are, each with its own values, and finds them again",
        arguments: [1, 15, 16, 17, 33])
    func sizes(count: Int) async throws {
        try await withLedger { fixture async throws in
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

    @Test("with an order that is there already is an error, and nothing of it is recorded")
    func orderTwice() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(order("o", [("kit", nil, 1)], .accepted(seq: 1)))
            let before = try await fixture.rows()
            await #expect(throws: SQLiteLedgerError.self) {
                try await fixture.record(
                    deadLetter("1-0"), order("new", [("kit", nil, 1)], .accepted(seq: 2)),
                    order("o", [("kit", nil, 1)], .accepted(seq: 3)))
            }
            await #expect(throws: SQLiteLedgerError.self) {
                try await fixture.record(
                    order("new", [("kit", nil, 1)], .accepted(seq: 2)),
                    order("new", [("kit", nil, 1)], .accepted(seq: 3)))
            }
            #expect(try await fixture.rows() == before)
        }
    }

    @Test(
        "with a product or a variant that the ledger lacks is an error",
        arguments: [("none", nil), ("cube", "none")] as [(Identifier, Identifier?)])
    func unknownCounter(_ product: Identifier, _ variant: Identifier?) async throws {
        try await withLedger { fixture async throws in
            let before = try await fixture.rows()
            await #expect(throws: SQLiteLedgerError.self) {
                try await fixture.record(
                    order("new", [("kit", nil, 1)], .accepted(seq: 1)),
                    order("o", [(product, variant, 1)], .accepted(seq: 2)))
            }
            #expect(try await fixture.rows() == before)
        }
    }

    @Test("on a full disk is an error that may pass, and nothing is recorded")
    func diskFull() async throws {
        try await withLedger { fixture async throws in
            let before = try await fixture.rows()
            let pages = try await fixture.ledger.write { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                return pages
            }
            let large = deadLetter("1-0", payload: [UInt8](repeating: 0xFF, count: 100_000))
            let sale = order("o", [("kit", nil, 1)], .accepted(seq: 1))
            let error = await #expect(throws: SQLiteLedgerError.diskFull(path: fixture.path)) {
                try await fixture.record(sale, large)
            }
            #expect(error?.isTransient == true)
            #expect(try await fixture.rows() == before)
            try await fixture.ledger.write { try $0.execute(sql: "PRAGMA max_page_count = \(pages + 1_000)") }
            #expect(try await fixture.record(sale, large) == .recorded(records: 2))
        }
    }
}

extension Database {
    fileprivate func digests() throws -> [UInt8] {
        try String.fetchAll(self, sql: "SELECT hex(digest) FROM orders").joined().hexBytes
    }
}

extension String {
    fileprivate var hexBytes: [UInt8] {
        stride(from: 0, to: utf8.count, by: 2).compactMap { UInt8(dropFirst($0).prefix(2), radix: 16) }
    }
}
