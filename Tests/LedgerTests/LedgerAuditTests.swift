import Domain
import Ledger
import LedgerSamples
import Testing

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")

@Suite("Auditing a ledger")
struct LedgerAuditTests {
    /// Three orders, a cancellation, an adjustment.
    private func fill(_ fixture: LedgerFixture) async throws {
        try await fixture.record(
            order("o1", [("cube", "black", 2), ("cube", "white", 1)], .accepted(seq: 1)),
            order("x", [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)),
            order("o2", [("cube", "black", 1), ("cube", "black", 1)], .accepted(seq: 2)))
        let some = Cancellation(cancellationID: "c", orderID: "o1", items: [SKUUnits(SKU("cube", "black"), 1)])
        try await fixture.record(
            cancellation(
                some, of: [SKUUnits(SKU("cube", "black"), 2), SKUUnits(SKU("cube", "white"), 1)], .accepted(seq: 3)),
            adjustment(
                Adjustment(adjustmentID: "a", sku: SKU("cube", "black"), units: 3, reason: "fair"), .accepted(seq: 4)))
    }

    @Test("lists the counters, products before variants, part by part", arguments: Backend.allCases, [1, 2, 3, 9])
    func names(_ backend: Backend, _ limit: Int) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var (names, last): ([CounterName], CounterName?) = ([], nil)
            while true {
                let part = try await fixture.ledger.counterNames(after: last, limit: limit)
                #expect(part.head.catalogueVersion == 1 && part.names.count <= limit)
                guard let end = part.names.last else { break }
                names += part.names
                last = end
            }
            #expect(
                names == [
                    cube, .product("kit"), .product("sheet"), black, .variant("white"),
                ])
            let known = try await fixture.ledger.known([black, .product("black"), .variant("none"), cube])
            #expect(known == [black, cube])
        }
    }

    @Test("shows the changes of a counter, latest first, between two seqs", arguments: Backend.allCases)
    func changes(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            typealias Change = RecordedChange
            let all = [
                Change(seq: 4, kind: .adjustment, id: "a", units: 3),
                Change(seq: 3, kind: .cancellation, id: "c", units: -1),
                Change(seq: 2, kind: .order, id: "o2", units: 2), Change(seq: 1, kind: .order, id: "o1", units: 2),
            ]
            #expect(try await fixture.ledger.changes(of: black, above: 0, upTo: 9) == all)
            #expect(try await fixture.ledger.changes(of: black, above: 1, upTo: 3) == Array(all[1...2]))
            #expect(try await fixture.ledger.changes(of: cube, above: 0, upTo: 1).map(\.units) == [3])
            #expect(try await fixture.ledger.changes(of: .variant("none"), above: 0, upTo: 9).isEmpty)
            let part = try await fixture.ledger.counters([cube, black], withChangesAfter: 2)
            #expect(part.counters.count == 2 && part.counters[black]?.sold == 6)
            #expect(part.units(of: black, after: 2) == 2 && part.units(of: cube, after: 3) == 3)
        }
    }

    @Test("recounts what is recorded, and repairs what differs, in a new epoch", arguments: Backend.allCases)
    func miscounts(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            #expect(try await fixture.ledger.recount().isEmpty)
            #expect(try await fixture.ledger.repairMiscounts(reason: "test").isEmpty)
            #expect(try await fixture.ledger.head().epoch == 0)
            try fixture.set(black, sold: 1)
            let expected = [Miscount(counter: black, column: .sold, recorded: 1, counted: 6)]
            #expect(try await fixture.ledger.recount() == expected)
            #expect(try await fixture.ledger.check().miscounts == expected)
            #expect(try await fixture.ledger.repairMiscounts(reason: "why") == expected)
            #expect(try await fixture.ledger.recount().isEmpty)
            #expect(try await fixture.sold()[black] == 6)
            #expect(try await fixture.ledger.head().epoch == 1)
            let repair = try #require(try await fixture.ledger.repairs(limit: 9, after: nil).elements.first)
            #expect(repair.repair == Repair(expected[0]) && repair.epoch == 1 && repair.reason == "why")
        }
    }

    @Test(
        "keeps the findings of a counter repair unless another epoch came in between", arguments: Backend.allCases)
    func repairs(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            try await fixture.ledger.raiseEpoch()
            let drift = Repair(place: .counters, level: .product, id: "kit", found: 2, expected: 0, detail: "")
            let field = Repair(place: .counters, level: nil, id: "strange", found: nil, expected: nil, detail: "extra")
            let before = try await fixture.everything()
            #expect(try await fixture.ledger.raiseEpoch(toRepair: [drift], foundIn: 0, reason: "r", by: nil) == nil)
            #expect(try await fixture.everything() == before)
            let done = try #require(
                try await fixture.ledger.raiseEpoch(toRepair: [drift, field], foundIn: 1, reason: "r", by: nil))
            #expect(done.repairs == [drift, field] && done.epoch == 2)
            let page = try await fixture.ledger.repairs(limit: 1, after: nil)
            #expect(page.elements.map(\.repair) == [field])
            let rest = try await fixture.ledger.repairs(limit: 1, after: page.next)
            #expect(rest.elements.map(\.repair) == [drift] && rest.next == nil && rest.elements[0].epoch == 2)
        }
    }

    @Test("repairs the ledger's own totals before it trusts them about a counter", arguments: Backend.allCases)
    func repairsItself(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fill(fixture)
            try fixture.set(black, sold: 1)
            try fixture.set(cube, sold: 2)
            // The counter in Redis is right for the variant, but not for the product.
            let right = Repair(place: .counters, level: .variant, id: "black", found: 6, expected: 1, detail: "")
            let wrong = Repair(place: .counters, level: .product, id: "cube", found: 3, expected: 2, detail: "")
            let done = try #require(
                try await fixture.ledger.raiseEpoch(toRepair: [right, wrong], foundIn: nil, reason: "r", by: nil))
            var corrected = wrong
            corrected.expected = 7
            #expect(
                done.repairs == [
                    Repair(Miscount(counter: cube, column: .sold, recorded: 2, counted: 7)),
                    Repair(Miscount(counter: black, column: .sold, recorded: 1, counted: 6)), corrected,
                ])
            #expect(try await fixture.ledger.recount().isEmpty)
        }
    }

    @Test("lists adjustments, finds one, and says why another is impossible", arguments: Backend.allCases)
    func adjustments(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            func of(_ id: Identifier, _ units: Int64, _ product: Identifier = "sheet") -> Adjustment {
                Adjustment(adjustmentID: id, sku: SKU(product), units: units, reason: "why", adjustedAt: "then")
            }
            try await fixture.record(
                adjustment(of("a", 5), .accepted(seq: 1)), adjustment(of("b", -2), .accepted(seq: 2)),
                adjustment(of("c", 1), .accepted(seq: 3)))
            let page = try await fixture.ledger.adjustments(limit: 2, after: nil)
            #expect(page.elements.map(\.adjustment) == [of("c", 1), of("b", -2)])
            let rest = try await fixture.ledger.adjustments(limit: 2, after: page.next)
            #expect(rest.elements.map(\.seq) == [1] && rest.next == nil)
            let found = try #require(try await fixture.ledger.adjustment("b"))
            #expect(found.adjustment == of("b", -2) && found.seq == 2 && found.epoch == 0 && found.entryID == "8-0")
            #expect(try await fixture.ledger.adjustment("none") == nil)
            #expect(try await fixture.ledger.objection(to: of("d", -4)) == nil)
            #expect(try await fixture.ledger.objection(to: of("d", -5))?.reason == .adjustmentTooLarge)
            #expect(try await fixture.ledger.objection(to: of("d", 1, "none"))?.reason == .unknownProduct)
            #expect(try await fixture.ledger.objection(to: of("d", 1, "cube"))?.reason == .variantRequired)
        }
    }

    @Test("finds the latest dead letter of an entry, and counts the selected ones", arguments: Backend.allCases)
    func deadLetters(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                deadLetter("1-0", fingerprint: [1]), deadLetter("1-0", fingerprint: [2], reason: .wrongType),
                deadLetter("2-0"))
            let found = try #require(try await fixture.ledger.deadLetter(ofEntry: "1-0"))
            #expect(found.number == 2 && found.reason == "wrong_type" && found.payload == nil)
            #expect(try await fixture.ledger.deadLetter(ofEntry: "9-0") == nil)
            #expect(try await fixture.ledger.count(.numbers([1, 3, 9])) == 2)
            #expect(try await fixture.ledger.count(.reason("invalid_json")) == 2)
            _ = try await fixture.ledger.discard(.numbers([1]))
            #expect(try await fixture.ledger.count(.reason("invalid_json")) == 1)
        }
    }

    @Test("says that erased data is removed only when it is", arguments: Backend.allCases)
    func erasure(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("sheet", nil, 1)], .accepted(seq: 1)), deadLetter("1-0"))
            #expect(try await fixture.ledger.isErasureComplete())
            _ = try await fixture.ledger.erase(["o"])
            #expect(try await !fixture.ledger.isErasureComplete())
            #expect(try await fixture.ledger.completeErasure())
            #expect(try await fixture.ledger.isErasureComplete())
            _ = try await fixture.ledger.discard(.numbers([1]))
            #expect(try await !fixture.ledger.isErasureComplete())
            #expect(try await fixture.ledger.completeErasure())
        }
    }
}
