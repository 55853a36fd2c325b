import Inventory
import Ledger
import Logging
import Metrics

/// Compares counters and ledger again and again beside the active consumer, and has drift repaired.
///
/// Only what two comparisons in a row agree on counts. The repair is a new epoch, asked for in the ledger, where it is
/// kept with what differed; the consumer opens it within a second.
package struct PeriodicReconciler: Sendable {
    private let reconciler: Reconciler
    private let interval: Duration
    private let logger: Logger

    /// Counters that drift, as of the last comparison.
    private let drifting: Gauge
    /// Counters and fields that were repaired.
    private let repaired: Counter
    /// Comparisons, by what they found.
    private let clean: Counter
    private let drifted: Counter
    private let failed: Counter

    /// - Parameters:
    ///   - interval: between two comparisons.
    ///   - metrics: where its metrics go; nil: to the process' own.
    package init(
        _ reconciler: Reconciler, every interval: Duration, logger: Logger, metrics: (any MetricsFactory)? = nil
    ) {
        self.reconciler = reconciler
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
                // Redis is away, or the epoch changes again and again: those who work with them say so.
                failed.increment()
                logger.info("counters and ledger could not be compared", metadata: ["error": "\(error)"])
            }
        }
    }

    /// One comparison, and the repair if it and a second one find the same.
    /// - Returns: what was repaired.
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
            let (repairs, _) = try await reconciler.ledger.raiseEpoch(
                toRepair: agreed.repairs, foundIn: agreed.epoch, reason: "drift found by the periodic reconciler")
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

    /// Counters named in the log at most, each time.
    private static let logged = 10
}
