import Domain
import Ledger
import Logging
import Metrics

/// Periodically compares the counters with the ledger alongside the active consumer, and requests the repair of drift.
///
/// Drift counts only if two consecutive comparisons agree on it. The repair is a new epoch: it is requested in the
/// ledger, which also records the differences, and the consumer opens it within a second.
package struct PeriodicReconciler: Sendable {
    private let reconciler: Reconciler
    private let ledger: any LedgerRepairs
    private let interval: Duration
    private let logger: Logger

    /// The number of counters that drift, as of the last comparison.
    private let drifting: Gauge
    /// The number of counters and fields that were repaired.
    private let repaired: Counter
    /// Comparisons, by result.
    private let clean: Counter
    private let drifted: Counter
    private let failed: Counter

    /// - Parameters:
    ///   - ledger: the ledger that the reconciler compares.
    ///   - interval: the time between two comparisons.
    ///   - metrics: the factory for its metrics; the process's factory if `nil`.
    package init(
        _ reconciler: Reconciler, repairing ledger: any LedgerRepairs, every interval: Duration, logger: Logger,
        metrics: (any MetricsFactory)? = nil
    ) {
        self.reconciler = reconciler
        self.ledger = ledger
        self.interval = interval
        self.logger = logger
        let metrics = metrics ?? MetricsSystem.factory
        func comparisons(_ result: String) -> Counter {
            Counter(label: "stocktake_reconciliations_total", dimensions: [("result", result)], factory: metrics)
        }
        drifting = Gauge(label: "stocktake_drift_counters", factory: metrics)
        repaired = Counter(label: "stocktake_repairs_total", factory: metrics)
        (clean, drifted, failed) = (comparisons("clean"), comparisons("drift"), comparisons("failed"))
    }

    /// Runs until its task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
                try await reconcile()
            } catch is CancellationError {
                return
            } catch {
                // Redis is unavailable, or the epoch keeps changing. The components that depend on them report it.
                failed.increment()
                logger.info("counters and ledger could not be compared", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Compares once, and requests the repair of drift that a second comparison confirms.
    /// - Returns: the repairs; empty if there are none.
    @discardableResult
    package func reconcile() async throws -> [Repair] {
        let first = try await reconciler.drift()
        drifting.record(first.drift.count)
        if first.isClean {
            clean.increment()
            return []
        }
        let agreed = try await reconciler.drift().agreed(with: first)
        drifting.record(agreed.drift.count)
        if agreed.isClean {
            clean.increment()
            return []
        }
        drifted.increment()
        guard
            let (repairs, _) = try await ledger.raiseEpoch(
                toRepair: agreed.repairs, foundIn: agreed.epoch, reason: "drift found by the periodic reconciler",
                by: nil)
        else { return [] }
        for repair in repairs.prefix(Self.logged) {
            logger.error(
                "a counter drifts",
                metadata: [
                    "place": "\(repair.place.rawValue)", "level": "\(repair.level?.rawValue ?? "field")",
                    "id": "\(repair.id)", "found": "\(repair.found.map(String.init) ?? "none")",
                    "expected": "\(repair.expected.map(String.init) ?? "none")",
                    "detail": "\(repair.detail.isEmpty ? "units" : repair.detail)",
                ])
        }
        repaired.increment(by: repairs.count)
        logger.notice("repairing drift by a new epoch", metadata: ["counters": "\(repairs.count)"])
        return repairs
    }

    /// The maximum number of counters named in the log per repair.
    private static let logged = 10
}
