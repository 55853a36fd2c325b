import Domain
import Ledger
import LedgerSamples
import Testing

@Suite("Histories")
struct HistoryTests {
    /// Sells, cancels, adjusts, refunds and closes, some of each.
    private func fill(_ fixture: LedgerFixture) async throws {
        let (kit, sheet) = (SKU("kit"), SKU("sheet"))
        try await fixture.record(
            order("o1", [("sheet", nil, 2), ("cube", "black", 1)], .accepted(seq: 1)),
            order("o2", [("sheet", nil, 3)], .accepted(seq: 2)),
            order("o3", [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)),
            deadLetter("5-0", orderID: "o1"))
        try await fixture.record(
            cancellation(
                Cancellation(cancellationID: "c1", orderID: "o1", items: [SKUUnits(sheet, 1)], by: "support"),
                of: [SKUUnits(sheet, 2), SKUUnits(SKU("cube", "black"), 1)], .accepted(seq: 3)),
            adjustment(
                Adjustment(adjustmentID: "a1", sku: kit, units: 2, reason: "fair", by: "maria"), .accepted(seq: 4)))
        try await fixture.record(refund("r1", of: "o1", amount: 5))
        try await fixture.record(order("o4", [("sheet", nil, 4)], .accepted(seq: 5)))
        var catalogue = Catalogue.sample
        catalogue.products[0].cap = 77
        _ = try await fixture.ledger.sync(catalogue, by: "root")
    }

    @Test("of an order have all its rows, including dead letters, and operators' actions", arguments: Backend.allCases)
    func orders(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            let ledger = fixture.ledger
            try await ledger.note(.showOrder, of: "o1", by: "eve")
            try await ledger.note(.showOrder, of: "o2", by: "eve")
            _ = try await ledger.replay(.numbers([1]), by: "adam")
            let history = try await ledger.history(of: "o1")
            #expect(history.rows.map(\.kind.rawValue) == ["order", "dead_letter", "cancellation", "refund"])
            #expect(history.rows.map(\.key) == ["o1", "5-0/01", "c1", "r1"])
            #expect(history.rows.map(\.by) == [nil, nil, "support", "support"])
            #expect(
                history.audit.map { "\($0.action.rawValue) \($0.subject) \($0.by ?? "")" }
                    == ["show_order o1 eve", "replay_dead_letter 1 adam"])
            #expect(try await ledger.history(of: "none") == OrderHistory(rows: [], audit: []))
        }
    }

    /// "kind id units orders detail", latest first.
    private func stock(
        _ fixture: LedgerFixture, _ counter: CounterName, listing: Bool = false, limit: Int = 99
    ) async throws -> [String] {
        var (all, after): ([String], String?) = ([], nil)
        repeat {
            let page = try await fixture.ledger.stockHistory(
                of: counter, listingOrders: listing, limit: limit, after: after)
            all += page.elements.map { event in
                let parts = [
                    event.kind.rawValue, event.id, event.units.map { "\($0)" }, event.orders.map { "×\($0)" },
                    event.detail, event.before, event.after,
                ]
                return parts.compactMap(\.self).joined(separator: " ")
            }
            after = page.next
        } while after != nil
        return all
    }

    @Test("of stock list events, and sum the orders between them", arguments: Backend.allCases)
    func sums(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            let sheet = ["orders 4 ×1", "cancellation c1 -1 o1", "orders 5 ×2", "catalogue 1 added"]
            for limit in [1, 2, 99] { #expect(try await stock(fixture, .product("sheet"), limit: limit) == sheet) }
            #expect(
                try await stock(fixture, .product("sheet"), listing: true)
                    == ["order o4 4", "cancellation c1 -1 o1", "order o2 3", "order o1 2", "catalogue 1 added"])
            #expect(
                try await stock(fixture, .product("sheet"), listing: true, limit: 2)
                    == stock(fixture, .product("sheet"), listing: true))
            // The refused order has changed nothing.
            #expect(
                try await stock(fixture, .product("kit")) == ["adjustment a1 2 fair", "catalogue 1 added"])
            #expect(try await stock(fixture, .variant("black")) == ["orders 1 ×1", "catalogue 1 added"])
            #expect(
                try await stock(fixture, .product("cube")).first?.hasPrefix("catalogue 2 max_quantity") == true)
            #expect(try await stock(fixture, .product("cube")).last == "catalogue 1 added")
        }
    }

    @Test("of stock have the repairs, at the start of their epoch", arguments: Backend.allCases)
    func repairs(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o1", [("sheet", nil, 2)], .accepted(seq: 1)))
            let repair = Repair(
                place: .counters, level: .product, id: "sheet", found: 7, expected: 2, detail: "")
            _ = try await fixture.ledger.raiseEpoch(toRepair: [repair], foundIn: nil, reason: "r", by: nil)
            #expect(
                try await stock(fixture, .product("sheet"))
                    == ["repair 1 counters 7 2", "orders 2 ×1", "catalogue 1 added"])
        }
    }
}
