import Domain
import Ledger
import RedisClient
import TestSupport
import Testing

@testable import Reconciliation

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let sheet = CounterName.product("sheet")

@Suite("Reconciling counters and ledger")
struct ReconcilerTests {
    private static func state(_ sold: Int64?, _ cap: Int64?, isActive: Bool = true) -> CounterState {
        CounterState(sold: sold, cap: cap, isActive: isActive)
    }

    private static func drifted(
        _ counter: CounterName, _ expected: CounterState, _ found: CounterState, lacking: [RecordedChange] = []
    ) -> Drift {
        Drift(
            comparison: CounterComparison(
                counter: counter, ledger: expected.sold ?? 0, inFlight: 0, expected: expected, found: found),
            explanation: lacking)
    }

    /// The order with this number.
    private static func change(_ number: Int64, units: Int64) -> RecordedChange {
        RecordedChange(seq: number, kind: .order, id: Identifier("o\(number)"), units: units)
    }

    @Test("finds nothing if nothing is wrong, before and after sales and closings")
    func clean() async throws {
        try await withReconciliation { fixture async throws in
            #expect(try await fixture.drift() == DriftReport(epoch: 1, seq: 0, drift: [], extraFields: 0, compared: 3))
            try await fixture.sell("cube", "black", units: 6)
            try await fixture.sell("sheet", units: 2)
            #expect(try await fixture.drift() == DriftReport(epoch: 1, seq: 2, drift: [], extraFields: 0, compared: 3))
            var catalogue = Catalogue.sample
            catalogue.products.removeFirst()
            _ = try await fixture.ledger.sync(catalogue)
            try await fixture.install()
            let report = try await fixture.drift()
            #expect(report == DriftReport(epoch: 2, seq: 2, drift: [], extraFields: 0, compared: 3))
            #expect(report.isClean)
        }
    }

    /// An operator's command, the resulting drift, its units, and the surplus fields.
    private static let edits: [([String], [Drift], units: [Int64?], extra: [String])] = [
        (
            ["HINCRBY", "sold:p:cube", "3"],
            [drifted(cube, state(2, 10), state(5, 10))], [3], []
        ),
        (
            ["HINCRBY", "sold:v:black", "-2"],
            [drifted(black, state(2, 6), state(0, 6), lacking: [change(1, units: 2)])], [-2], []
        ),
        (["HSET", "cap:p:cube", "11"], [drifted(cube, state(2, 10), state(2, 11))], [0], []),
        (["HDEL", "cap:v:black"], [drifted(black, state(2, 6), state(2, nil))], [0], []),
        (["HSET", "cap:p:sheet", "5"], [drifted(sheet, state(0, nil), state(0, 5))], [0], []),
        (["HDEL", "sold:p:cube"], [drifted(cube, state(2, 10), state(nil, 10))], [nil], []),
        (
            ["HSET", "closed:p:sheet", "1"],
            [drifted(sheet, state(0, nil), state(0, nil, isActive: false))], [0], []
        ),
        (
            ["HDEL", "sold:p:cube", "sold:v:black"],
            [
                drifted(cube, state(2, 10), state(nil, 10)),
                drifted(black, state(2, 6), state(nil, 6)),
            ], [nil, nil], []
        ),
        (["HSET", "sold:p:gone", "1"], [], [], ["sold:p:gone"]),
        (["HSET", "note", "x", "sold:v:cube", "0"], [], [], ["note", "sold:v:cube"]),
    ]

    @Test("finds manual edits, in one part or in several", arguments: edits.indices, [1, 2, 4_000])
    func findsDrift(_ index: Int, part: Int) async throws {
        let (edit, drift, units, extra) = Self.edits[index]
        try await withReconciliation { fixture async throws in
            try await fixture.sell("cube", "black", units: 2)
            try await fixture.hand(edit)
            var report = try await fixture.drift(part: part)
            report.extraNames.sort()
            #expect(
                report
                    == DriftReport(
                        epoch: 1, seq: 1, drift: drift, extraFields: Int64(extra.count), extraNames: extra, compared: 3)
            )
            #expect(report.drift.map(\.comparison.drift) == units && !report.isClean)
            #expect(report.repairs.count == drift.count + extra.count)
            // A new epoch repairs it.
            try await fixture.install()
            #expect(try await fixture.drift().isClean)
        }
    }

    // counters: decide 1, 2 | snapshot: seq 2      |             compare: clean
    // ledger:                 wait for 2: record 1 | record 2 |
    @Test("waits until decided orders are recorded")
    func inFlight() async throws {
        try await withReconciliation { fixture async throws in
            let first = ReconciliationFixture.checkout(1, product: "cube", variant: "black", units: 4)
            let second = ReconciliationFixture.checkout(2, product: "cube", variant: "black", units: 2)
            let head = try await fixture.ledger.head()
            var next = head
            next.seq += 1
            try await fixture.decide(first, after: head)
            try await fixture.decide(second, after: next)
            async let result = fixture.drift(all: true)
            try await fixture.waitForSnapshot()
            try await fixture.record(first, after: head)
            try await fixture.record(second, after: next)
            let report = try await result
            #expect(report.isClean && report.seq == 2 && report.comparisons.count == 3)
            for comparison in report.comparisons where comparison.counter != sheet {
                #expect((comparison.ledger, comparison.inFlight) == (0, 6))
            }
        }
    }

    @Test("reports that no consumer records if decisions are never recorded")
    func behind() async throws {
        try await withReconciliation { fixture async throws in
            let head = try await fixture.ledger.head()
            try await fixture.decide(ReconciliationFixture.checkout(1, product: "sheet"), after: head)
            await #expect(throws: ReconciliationError.behind(counters: 1, ledger: 0)) {
                try await fixture.drift(patience: .milliseconds(30))
            }
        }
    }

    @Test("reports the units that counters have lost by falling behind the ledger")
    func countersLost() async throws {
        try await withReconciliation { fixture async throws in
            try await fixture.sell("sheet", units: 2)
            let head = try await fixture.ledger.head()
            try await fixture.record(ReconciliationFixture.checkout(2, product: "sheet", units: 5), after: head)
            let report = try await fixture.drift()
            #expect(report.seq == 2)
            #expect(
                report.drift == [
                    Self.drifted(
                        sheet, Self.state(7, nil), Self.state(2, nil), lacking: [Self.change(2, units: 5)])
                ])
            // Without a seq they are as far behind as possible.
            try await fixture.hand(["HDEL", "seq"])
            #expect(try await fixture.drift().drift == report.drift)
        }
    }

    // counters: decide 1 (cube), 2 (sheet) | snapshot of cube: seq 2 |          | snapshot of black, of sheet |
    // ledger:                              |                         | record 1, 2
    @Test("compares each part with what the ledger had recorded at its own snapshot")
    func parts() async throws {
        try await withReconciliation { fixture async throws in
            let cube = ReconciliationFixture.checkout(1, product: "cube", variant: "black", units: 4)
            let sheet = ReconciliationFixture.checkout(2, product: "sheet", units: 2)
            let head = try await fixture.ledger.head()
            var next = head
            next.seq += 1
            try await fixture.decide(cube, after: head)
            try await fixture.decide(sheet, after: next)
            async let result = fixture.drift(all: true, part: 1)
            try await fixture.waitForSnapshot()
            try await fixture.record(cube, after: head)
            try await fixture.record(sheet, after: next)
            let report = try await result
            #expect(report.isClean && report.seq == 2)
            #expect(report.comparisons.map(\.ledger) == [0, 2, 4])
            #expect(report.comparisons.map(\.inFlight) == [4, 0, 0])
        }
    }

    @Test("does not compare if nothing is installed")
    func notInstalled() async throws {
        try await withReconciliation(isInstalled: false) { fixture async throws in
            await #expect(throws: ReconciliationError.notInstalled(redis: "redis", key: fixture.keys.stock)) {
                try await fixture.drift(patience: .milliseconds(30))
            }
        }
    }

    @Test("does not compare with another ledger's counters, and reports that without waiting")
    func otherLedger() async throws {
        try await withReconciliation { fixture async throws in
            try await fixture.hand(["HSET", "ledger", "another"])
            await #expect(throws: ReconciliationError.otherLedger(redis: "redis", found: "another")) {
                try await fixture.drift()
            }
        }
    }

    @Test("reports that epochs or catalogues stay different without a consumer")
    func apart() async throws {
        try await withReconciliation { fixture async throws in
            try await fixture.hand(["HSET", "catalogue", "9"])
            await #expect(throws: ReconciliationError.differentCatalogues(counters: 9, ledger: 1)) {
                try await fixture.drift(patience: .milliseconds(30))
            }
            _ = try await fixture.ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
            await #expect(throws: ReconciliationError.differentEpochs(counters: 1, ledger: 2)) {
                try await fixture.drift(patience: .milliseconds(30))
            }
            try await fixture.hand(["HDEL", "epoch"])
            await #expect(throws: ReconciliationError.differentEpochs(counters: nil, ledger: 2)) {
                try await fixture.drift(patience: .milliseconds(30))
            }
        }
    }

    @Test("waits for a new epoch that is being installed")
    func epochUnderWay() async throws {
        try await withReconciliation { fixture async throws in
            _ = try await fixture.ledger.raiseEpoch(catalogueBefore: nil, reason: "test")
            async let report = fixture.drift()
            try await fixture.install()
            #expect(try await report == DriftReport(epoch: 3, seq: 0, drift: [], extraFields: 0, compared: 3))
        }
    }

    @Test("finds the one wrong counter among thousands")
    func largeCatalogue() async throws {
        try await withReconciliation(.large) { fixture async throws in
            // The last part may be empty.
            for part in [400, 500, 4_000] {
                #expect(try await fixture.drift(part: part) == DriftReport(epoch: 1, seq: 0, compared: 2_500))
            }
            try await fixture.hand(["HINCRBY", "sold:p:p2499", "1"])
            for part in [400, 4_000] {
                let report = try await fixture.drift(part: part)
                #expect(report.drift.map(\.counter) == [.product("p2499")] && report.extraFields == 0)
            }
        }
    }

    // consumer:  decide, record | decide, record | new epoch | decide, record …
    // reconciler:    snapshot, compare | snapshot, compare …                       clean each time
    @Test(
        "finds nothing while orders flow and epochs change, in one snapshot, several, or several parts",
        arguments: [(isLarge: false, part: 4_000), (false, 1), (true, 4_000), (true, 400)])
    func underLoad(isLarge: Bool, part: Int) async throws {
        let catalogue: Catalogue = isLarge ? .large : .sample
        try await withReconciliation(catalogue) { fixture async throws in
            let ids = catalogue.products.filter { $0.cap == nil }.map(\.id)
            async let sold: Void = {
                for number in 0..<200 {
                    try await fixture.sell(ids[number * 7 % ids.count])
                    if number % 60 == 59 { try await fixture.install() }
                }
            }()
            var seqs: [Int64] = []
            while seqs.last != 200 {
                let report = try await fixture.drift(part: part)
                #expect(report.isClean, "\(report.drift.prefix(3)) at \(report.seq), \(report.extraFields) extra")
                seqs.append(report.seq)
            }
            try await sold
            #expect(seqs == seqs.sorted())
        }
    }
}
