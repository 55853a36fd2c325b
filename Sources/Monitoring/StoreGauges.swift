import Ledger
import Metrics

/// The gauges that are set from a snapshot of the store. A value that could not be read is NaN, so that no alert uses a
/// stale value.
struct StoreGauges: Sendable {
    private let epoch: Gauge
    private let seq: Gauge
    private let orders: Gauge
    private let refundsDue: Gauge
    private let refundsOfUnknownAmount: Gauge
    private let deadLetters: Gauge
    private let deadLetterBytes: Gauge
    private let requestedReplays: Gauge
    private let unannounced: Gauge
    private let backlog: Gauge
    private let pending: Gauge
    private let oldestWaiting: Gauge
    private let activeConsumers: Gauge
    private let redisUp: Gauge
    private let redisMemory: Gauge
    private let ledgerUp: Gauge
    private let ledgerSound: Gauge
    private let ledgerBytes: Gauge
    private let ledgerLogBytes: Gauge
    private let drift: Gauge
    private let metrics: any MetricsFactory
    /// The currencies in which refunds were due in the latest snapshot or an earlier one.
    private var currencies: Set<String> = []

    init(_ metrics: any MetricsFactory, version: String) {
        func gauge(_ label: String) -> Gauge { Gauge(label: label, factory: metrics) }
        self.metrics = metrics
        epoch = gauge("stocktake_epoch")
        seq = gauge("stocktake_seq")
        orders = gauge("stocktake_orders")
        refundsDue = gauge("stocktake_refunds_due")
        refundsOfUnknownAmount = gauge("stocktake_refunds_due_of_unknown_amount")
        deadLetters = gauge("stocktake_dead_letters_open")
        deadLetterBytes = gauge("stocktake_dead_letter_bytes")
        requestedReplays = gauge("stocktake_replays_wanted")
        unannounced = gauge("stocktake_unannounced_rows")
        backlog = gauge("stocktake_backlog_messages")
        pending = gauge("stocktake_pending_messages")
        oldestWaiting = gauge("stocktake_oldest_waiting_seconds")
        activeConsumers = gauge("stocktake_active_consumers")
        redisUp = gauge("stocktake_redis_up")
        redisMemory = gauge("stocktake_redis_memory_bytes")
        ledgerUp = gauge("stocktake_ledger_up")
        ledgerSound = gauge("stocktake_ledger_sound")
        ledgerBytes = gauge("stocktake_ledger_bytes")
        ledgerLogBytes = gauge("stocktake_ledger_log_bytes")
        drift = gauge("stocktake_drift_counters")
        // Nothing has been compared yet.
        record(drifting: nil)
        Gauge(label: "stocktake_build_info", dimensions: [("version", version)], factory: metrics).record(1)
    }

    mutating func record(_ snapshot: StoreSnapshot) {
        func record(_ gauge: Gauge, _ value: Int64?) { gauge.record(value.map { Double($0) } ?? .nan) }
        let statistics = snapshot.ledger.statistics
        record(epoch, statistics?.head.epoch)
        record(seq, statistics?.head.seq)
        record(orders, statistics?.orders)
        record(refundsDue, statistics?.refunds.refunds)
        record(refundsOfUnknownAmount, statistics?.refunds.unknownAmounts)
        recordAmounts(statistics?.refunds)
        record(deadLetters, statistics?.openDeadLetters)
        record(deadLetterBytes, statistics?.deadLetterBytes)
        record(requestedReplays, statistics?.requestedReplays)
        record(unannounced, snapshot.unannounced)
        // The count may be a lower bound, which is good enough for an alert.
        record(backlog, snapshot.redis.unread?.count)
        record(pending, snapshot.redis.pending?.count)
        oldestWaiting.record(snapshot.oldestWaiting.map { Double($0) / 1_000 } ?? .nan)
        activeConsumers.record(snapshot.isConsumerActive ? 1 : 0)
        redisUp.record(snapshot.redis.answers ? 1 : 0)
        record(redisMemory, snapshot.redis.usedMemory)
        ledgerUp.record(snapshot.ledger.detail == nil ? 1 : 0)
        record(ledgerSound, snapshot.ledger.soundness.map { $0.isSound ? 1 : 0 })
        record(ledgerBytes, snapshot.ledger.condition.bytes)
        record(ledgerLogBytes, snapshot.ledger.condition.logBytes)
    }

    /// Records the amount due in each currency. A currency in which nothing is due any longer stays at 0.
    private mutating func recordAmounts(_ refunds: RefundsDue?) {
        let amounts = Dictionary(
            (refunds?.sums ?? []).map { ($0.currency ?? "other", $0.amount) }, uniquingKeysWith: { first, _ in first })
        currencies.formUnion(amounts.keys)
        for currency in currencies {
            let gauge = Gauge(
                label: "stocktake_refunds_due_minor_units", dimensions: [("currency", currency)], factory: metrics)
            gauge.record(refunds == nil ? .nan : Double(amounts[currency] ?? 0))
        }
    }

    /// - Parameter counters: the number of counters that drift; `nil` if counters and ledger could not be compared.
    func record(drifting counters: Int?) { drift.record(counters.map { Double($0) } ?? .nan) }
}
