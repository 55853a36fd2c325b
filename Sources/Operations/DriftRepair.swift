import Consumer
import Counters
import Domain
import Ledger
import Reconciliation
import RedisClient

/// Repairs drift: the active consumer or, without one, this process installs the counters again from the ledger.
package struct DriftRepair: Sendable {
    /// The results of the comparison and of the repair.
    package struct Result: Sendable {
        /// The comparison before the repair; nil if the counters could not be compared.
        package var report: DriftReport?
        /// The comparison after the repair; nil if none was needed.
        package var after: DriftReport?
        /// The number of repaired differences; 0 if there were none.
        package var repaired = 0
        /// The epoch that requested the repair in the ledger, under which the repair is recorded.
        package var repairEpoch: Int64?
        /// The later epoch that installed the counters.
        package var installedEpoch: Int64?
    }

    private let access: StoreAccess
    private let ledger: any LedgerRepairs
    private let client: RedisClient
    private let reconciler: Reconciler
    /// Recorded with the repair in the ledger.
    private let reason: String

    /// How long an active consumer may take to open the requested epoch.
    var patience = Duration.seconds(15)
    private static let pollInterval = Duration.milliseconds(50)

    package init(
        _ access: StoreAccess, ledger: any LedgerRepairs, client: RedisClient, reconciler: Reconciler, reason: String
    ) {
        self.access = access
        self.ledger = ledger
        self.client = client
        self.reconciler = reconciler
        self.reason = reason
    }

    /// - Parameters:
    ///   - miscounts: errors in the ledger's own balances, which are repaired as well.
    ///   - comparesAll: compare every counter again at the end.
    ///   - explained: the maximum number of drifting counters that are explained.
    /// - Throws: `OperationError`; `ReconciliationError`; `LedgerError`; `ConsumerError`; `RedisError`;
    ///   `CountersError`.
    package func run(miscounts: [Miscount], comparesAll: Bool, explained: Int) async throws -> Result {
        var result = Result()
        // If this acquires the lease, no consumer is active, and the repair is done here.
        let lease = try await access.ledger.lease.acquire()
        if lease == nil {
            result.report = try await reconciler.drift(explained: explained)
        } else {
            result.report = try await driftWithoutConsumer(explained: explained)
        }
        if result.report?.isClean == true, miscounts.isEmpty {
            if comparesAll { result.after = try await reconciler.drift(all: true) }
            return result
        }
        guard
            let (repairs, requested) = try await ledger.raiseEpoch(
                toRepair: result.report?.repairs ?? [], foundIn: result.report?.epoch, reason: reason,
                by: access.by)
        else { throw OperationError.repairOvertaken(ledger: ledger.name) }
        result.repairEpoch = requested
        if let lease {
            let counters = CounterStore(keys: access.keys, ledger: ledger.identity, client: client)
            result.installedEpoch = try await installCounters(
                from: ledger, into: counters, reason: reason, holding: lease)
        } else {
            result.installedEpoch = try await waitForEpoch(after: requested)
        }
        let after = try await reconciler.drift(all: comparesAll)
        result.after = after
        guard after.isClean else {
            throw OperationError.driftReturned(
                redis: access.redis.redacted, epoch: after.epoch, key: access.keys.stock)
        }
        result.repaired = max(repairs.count, 1)
        return result
    }

    /// Compares the counters while no consumer is active.
    /// - Returns: nil if the counters cannot be compared; they are then installed again whatever their state.
    private func driftWithoutConsumer(explained: Int) async throws -> DriftReport? {
        // Before the epoch is raised: a wrong ledger must not overtake Redis.
        try await CounterHead.read(access.keys, client).refuseWrongLedger(
            ledger, head: ledger.head(), redis: access.redis.redacted)
        var hasty = reconciler
        hasty.patience = .zero
        do {
            return try await hasty.drift(explained: explained)
        } catch is ReconciliationError {
            return nil
        }
    }

    private func waitForEpoch(after requested: Int64) async throws -> Int64 {
        let deadline = ContinuousClock.now + patience
        while true {
            if let epoch = try await CounterHead.read(access.keys, client).epoch, epoch > requested { return epoch }
            if ContinuousClock.now >= deadline {
                throw OperationError.repairNotInstalled(
                    ledger: ledger.name, epoch: requested, within: patience)
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }
}
