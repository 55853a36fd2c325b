import Concurrency
import Domain
import Ledger
import LedgerSamples
import Testing

@testable import MemoryLedger

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let kit = CounterName.product("kit")

@Suite("Epochs in the ledger")
struct EpochTests {
    @Test(
        "are raised one by one, and start from all counters with their caps and closings", arguments: Backend.allCases)
    func raise(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("cube", "black", 2), ("kit", nil, 1)], .accepted(seq: 1)))
            var catalogue = Catalogue.sample
            catalogue.products.removeLast()
            _ = try await fixture.ledger.sync(catalogue)
            #expect(try await fixture.ledger.raiseEpoch().head.epoch == 1)
            let start = try await fixture.ledger.raiseEpoch()
            #expect(start.head == LedgerHead(epoch: 2, seq: 1, position: 3, catalogueVersion: 2))
            #expect(try await fixture.ledger.head() == start.head)
            let expected: [CounterName: CounterState] = [
                cube: CounterState(sold: 2, cap: 10, isActive: true),
                black: CounterState(sold: 2, cap: 6, isActive: true),
                .variant("white"): CounterState(sold: 0, cap: nil, isActive: true),
                .product("sheet"): CounterState(sold: 0, cap: nil, isActive: true),
                kit: CounterState(sold: 1, cap: 3, isActive: false),
            ]
            #expect(start.counters.count == expected.count)
            #expect(Dictionary(uniqueKeysWithValues: start.counters.map { ($0.name, $0.state) }) == expected)
        }
    }

    @Test("include the ledger's current catalogue", arguments: Backend.allCases)
    func catalogue(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var catalogue = Catalogue.sample
            catalogue.products.removeLast()
            catalogue.products[0].variants.removeLast()
            _ = try await fixture.ledger.sync(catalogue)
            let index = try await fixture.ledger.raiseEpoch().catalogue
            #expect(index.version == 2)
            let lines: [(Identifier, Identifier?, DeadLetterReason?)] = [
                ("cube", "black", nil), ("sheet", nil, nil), ("cube", "white", .variantClosed),
                ("cube", nil, .variantRequired), ("kit", nil, .productClosed), ("none", nil, .unknownProduct),
                ("sheet", "black", .variantOfAnotherProduct),
            ]
            for (product, variant, reason) in lines {
                let item = Checkout.Item(productID: product, variantID: variant, units: 1, unitPrice: 1)
                #expect(index.violation(in: Checkout(orderID: "o", items: [item]))?.reason == reason)
            }
        }
    }

    @Test(
        "name the products that a later catalogue has changed, in themselves or in their variants",
        arguments: Backend.allCases)
    func changedProducts(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            var catalogue = Catalogue.sample
            catalogue.products[0].variants[0].cap = 5
            _ = try await fixture.ledger.sync(catalogue)
            catalogue.products.removeLast()
            _ = try await fixture.ledger.sync(catalogue)
            let table: [(before: Int64?, changed: Set<Identifier>)] = [
                (nil, []), (3, []), (2, ["kit"]), (1, ["kit", "cube"]), (0, ["kit", "cube", "sheet"]),
            ]
            for (before, changed) in table {
                let start = try await fixture.ledger.raiseEpoch(catalogueBefore: before, reason: "test")
                #expect(Set(start.changedProducts) == changed && start.changedProducts.count == changed.count)
            }
        }
    }

    @Test(
        "are raised above those that Redis has seen, and never lowered",
        arguments: Backend.allCases,
        [
            (0, 3), (2, 3), (3, 3), (9, 9), (-1, 3), (LedgerHead.highestEpoch + 1, 3), (.max, 3),
        ] as [(Int64, Int64)])
    func raiseAbove(_ backend: Backend, _ epochs: (seen: Int64, then: Int64)) async throws {
        try await withLedger(on: backend) { fixture async throws in
            for _ in 0..<3 { _ = try await fixture.ledger.raiseEpoch() }
            try await fixture.ledger.raiseEpoch(above: epochs.seen, by: nil)
            #expect(try await fixture.ledger.head().epoch == epochs.then)
            #expect(try await fixture.ledger.raiseEpoch().head.epoch == epochs.then + 1)
        }
    }

    @Test("The counters can be taken back to any earlier seq", arguments: Backend.allCases)
    func countersAsOf(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order("o1", [("cube", "black", 1), ("cube", "black", 1)], .accepted(seq: 1)),
                order("x", [("kit", nil, 9)], refused(kit, asked: 9, left: 3)),
                order("o2", [("cube", "white", 3)], .accepted(seq: 2)))
            try await fixture.record(order("o3", [("cube", "black", 4), ("kit", nil, 1)], .accepted(seq: 3)))
            // Units sold after each seq from 0 to 3, per counter.
            let after: [(CounterName, [Int64])] = [
                (cube, [9, 7, 4, 0]), (black, [6, 4, 4, 0]), (.variant("white"), [3, 3, 0, 0]), (kit, [1, 1, 1, 0]),
                (.product("sheet"), [0, 0, 0, 0]), (.product("none"), [0, 0, 0, 0]),
            ]
            for asked in 0...3 as ClosedRange<Int64> {
                let counters = try await fixture.ledger.counters(withChangesAfter: asked)
                #expect(counters.head.seq == 3 && counters.counters[cube]?.sold == 9)
                for (counter, units) in after {
                    for seq in asked...3 { #expect(counters.units(of: counter, after: seq) == units[Int(seq)]) }
                }
            }
        }
    }

    @Test(
        "An epoch is due five seconds after it was raised, or at once if the clock was set back since",
        arguments: Backend.allCases)
    func due(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let ledger = fixture.ledger
            #expect(try await ledger.watermark() == LedgerWatermark(epoch: 0, seq: 0, dueEpoch: 0))
            try await fixture.record(order("o", [("kit", nil, 1)], .accepted(seq: 1)))
            for _ in 1...3 { try await ledger.raiseEpoch() }
            // On a busy machine the test takes longer than five seconds, so the times are written directly.
            func date(_ epoch: Int64, _ milliseconds: Int64) throws {
                let time = SystemClock.milliseconds() + milliseconds
                try fixture.location.tamper(
                    sqlite:
                        "UPDATE epochs SET opened_at = '\(Timestamp.text(milliseconds: time))' WHERE epoch = \(epoch)",
                    memory: { $0.epochs[Int(epoch) - 1].openedAt = time })
            }
            for epoch in Int64(1)...3 { try date(epoch, -1_000) }
            #expect(try await ledger.watermark() == LedgerWatermark(epoch: 3, seq: 1, dueEpoch: 0))
            try date(1, -60_000)
            try date(2, -5_500)
            #expect(try await ledger.watermark().dueEpoch == 2)
            try date(3, 600_000)
            #expect(try await ledger.watermark().dueEpoch == 3)
        }
    }

    @Test("The stock is in the catalogue's order, with closed products last", arguments: Backend.allCases)
    func stock(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o", [("cube", "black", 6)], .accepted(seq: 1)))
            var catalogue = Catalogue.sample
            catalogue.products.swapAt(1, 2)
            catalogue.products[0].variants.remove(at: 0)
            catalogue.products[0].variants.append(Variant(id: "a new one", name: "New"))
            catalogue.products.remove(at: 1)
            _ = try await fixture.ledger.sync(catalogue)
            let stock = try await fixture.ledger.stock()
            #expect(stock.head == LedgerHead(epoch: 0, seq: 1, position: 3, catalogueVersion: 2))
            #expect(stock.products.map(\.id) == ["cube", "sheet", "kit"])
            #expect(stock.products[0].counters == [cube, .variant("white"), .variant("a new one"), black])
            let figures = stock.products[0].availability()
            #expect(figures.product.available == 4 && figures.product.isAvailable)
            #expect(figures.variants.map(\.available) == [4, 4, 0])
            #expect(figures.variants.map(\.isActive) == [true, true, false])
        }
    }
}
