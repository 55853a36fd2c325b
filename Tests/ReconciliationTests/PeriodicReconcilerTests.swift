import Domain
import Ledger
import Logging
import MetricsTestKit
import RedisClient
import TestSupport
import Testing

@testable import Reconciliation

@Suite("Periodic reconciliation")
struct PeriodicReconcilerTests {
    private func periodic(_ fixture: ReconciliationFixture, metrics: TestMetrics) -> PeriodicReconciler {
        PeriodicReconciler(
            fixture.reconciler, repairing: fixture.ledger, every: .milliseconds(10),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            metrics: metrics)
    }

    @Test("requests no epoch and records no repair if nothing differs")
    func clean() async throws {
        try await withReconciliation { fixture async throws in
            let metrics = TestMetrics()
            try await fixture.sell("cube", "black", units: 2)
            #expect(try await periodic(fixture, metrics: metrics).reconcile().isEmpty)
            #expect(try await fixture.ledger.head().epoch == 1)
            #expect(try metrics.expectGauge("stocktake_drift_counters").lastValue == 0)
            #expect(
                try metrics.expectCounter("stocktake_reconciliations_total", [("result", "clean")]).totalValue == 1)
        }
    }

    @Test("repairs what two snapshots agree on by a new epoch, records it in the ledger, and updates its metrics")
    func repairs() async throws {
        try await withReconciliation { fixture async throws in
            let metrics = TestMetrics()
            try await fixture.sell("cube", "black", units: 2)
            try await fixture.hand(["HSET", "sold:p:cube", "9", "cap:v:black", "1", "note", "x"])
            try await fixture.hand(["HDEL", "sold:p:sheet"])
            let repairs = try await periodic(fixture, metrics: metrics).reconcile()
            #expect(Set(repairs.map(\.id)) == ["cube", "black", "sheet", "note"])
            #expect(try await fixture.ledger.head().epoch == 2)
            let kept = try await fixture.ledger.repairs(limit: 10, after: nil).elements
            #expect(kept.reversed().map(\.repair) == repairs)
            #expect(kept.allSatisfy { $0.epoch == 2 && $0.reason.contains("periodic") })
            let cube = try #require(repairs.first { $0.id == "cube" })
            #expect((cube.level, cube.found, cube.expected) == (.product, 9, 2))
            #expect(repairs.first { $0.id == "black" }?.detail == "cap 1 instead of 6")
            #expect(try metrics.expectGauge("stocktake_drift_counters").lastValue == 3)
            #expect(try metrics.expectCounter("stocktake_repairs_total").totalValue == 4)
            // As the consumer does when it sees the epoch.
            try await fixture.install()
            #expect(try await fixture.drift().isClean)
        }
    }

    @Test("does not let the counters follow an inconsistent ledger")
    func wrongLedger() async throws {
        try await withReconciliation { fixture async throws in
            try await fixture.sell("sheet", units: 5)
            fixture.place.set(.product("sheet"), sold: 1)
            let repairs = try await periodic(fixture, metrics: TestMetrics()).reconcile()
            #expect(repairs.first?.place == .ledger)
            try await fixture.install()
            #expect(try await fixture.drift(all: true).comparisons.contains { $0.ledger == 5 })
            #expect(try await fixture.ledger.recount().isEmpty)
        }
    }

    @Test("counts as drift only what two snapshots of one epoch found identically")
    func agreement() {
        func report(epoch: Int64 = 1, _ drift: [(CounterName, Int64?)], extra: Int64 = 0) -> DriftReport {
            DriftReport(
                epoch: epoch, seq: 1,
                drift: drift.map { counter, found in
                    Drift(
                        comparison: CounterComparison(
                            counter: counter, ledger: 1, inFlight: 0,
                            expected: CounterState(sold: 1, cap: nil, isActive: true),
                            found: CounterState(sold: found, cap: nil, isActive: true)))
                }, extraFields: extra, compared: 2)
        }
        let (a, b) = (CounterName.product("a"), CounterName.product("b"))
        #expect(report([(a, 3), (b, 4)]).agreed(with: report([(a, 3), (b, 5)])).drift.map(\.counter) == [a])
        #expect(report([(a, nil)]).agreed(with: report([(a, nil)])).drift.count == 1)
        #expect(report([(a, nil)]).agreed(with: report([(a, 0)])).isClean)
        #expect(report(epoch: 2, [(a, 3)], extra: 1).agreed(with: report([(a, 3)], extra: 1)).isClean)
        #expect(report([], extra: 2).agreed(with: report([], extra: 2)).extraFields == 2)
        #expect(report([], extra: 2).agreed(with: report([], extra: 1)).isClean)
    }

    @Test("continues after a failed comparison")
    func goesOn() async throws {
        try await withReconciliation(isInstalled: false) { fixture async throws in
            let metrics = TestMetrics()
            var reconciler = fixture.reconciler
            reconciler.patience = .zero
            let periodic = PeriodicReconciler(
                reconciler, repairing: fixture.ledger, every: .milliseconds(1),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                metrics: metrics)
            let task = Task { await periodic.run() }
            func count(_ result: String) -> Int64 {
                (try? metrics.expectCounter("stocktake_reconciliations_total", [("result", result)]).totalValue) ?? 0
            }
            try await eventually("a failed comparison") { count("failed") > 0 }
            try await fixture.install()
            try await eventually("a comparison") { count("clean") > 0 }
            task.cancel()
            await task.value
        }
    }
}
