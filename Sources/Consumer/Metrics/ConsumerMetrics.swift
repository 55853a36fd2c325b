import Domain
import Ledger
import Metrics

/// Records the consumer's metrics; docs/metrics.md defines each of them.
///
/// Decisions that were not recorded are not counted: those commands are decided again.
package struct ConsumerMetrics: Sendable {
    private let outcomes: [Tally.Label: Counter]
    private let replays: Counter
    private let batch: Recorder
    private let deciding: Timer
    private let recording: Timer
    private let acknowledging: Timer
    private let readAhead: Gauge
    private let lost: Counter
    private let trimmedMessages: Counter
    private let trimFailures: Counter
    private let redisFull: Gauge
    private let epochs: Counter
    private let epoch: Gauge
    private let seq: Gauge
    private let active: Gauge

    /// - Parameter metrics: the factory for the metrics; the process's factory if `nil`.
    package init(_ metrics: (any MetricsFactory)? = nil) {
        let metrics = metrics ?? MetricsSystem.factory
        // All counters are created in advance: a rate needs a counter that started at 0.
        var outcomes: [Tally.Label: Counter] = [:]
        for kind in Outcome.Kind.allCases {
            for reason in kind.reasons {
                outcomes[Tally.Label(kind: kind, reason: reason)] = Counter(
                    label: "stocktake_outcomes_total", dimensions: [("outcome", kind.rawValue), ("reason", reason)],
                    factory: metrics)
            }
        }
        self.outcomes = outcomes
        replays = Counter(label: "stocktake_replays_total", factory: metrics)
        batch = Recorder(label: "stocktake_batch_messages", factory: metrics)
        deciding = Timer(label: "stocktake_decide_duration_seconds", factory: metrics)
        recording = Timer(label: "stocktake_record_duration_seconds", factory: metrics)
        acknowledging = Timer(label: "stocktake_settle_duration_seconds", factory: metrics)
        readAhead = Gauge(label: "stocktake_read_ahead_messages", factory: metrics)
        lost = Counter(label: "stocktake_lost_messages_total", factory: metrics)
        trimmedMessages = Counter(label: "stocktake_trimmed_messages_total", factory: metrics)
        trimFailures = Counter(label: "stocktake_trim_failures_total", factory: metrics)
        redisFull = Gauge(label: "stocktake_redis_full", factory: metrics)
        epochs = Counter(label: "stocktake_epochs_total", factory: metrics)
        epoch = Gauge(label: "stocktake_epoch", factory: metrics)
        seq = Gauge(label: "stocktake_seq", factory: metrics)
        active = Gauge(label: "stocktake_consumer_active", factory: metrics)
        isActive(false)
    }

    func isActive(_ isActive: Bool) { active.record(isActive ? 1 : 0) }

    func opened(epoch number: Int64, seq: Int64) {
        epochs.increment()
        epoch.record(number)
        self.seq.record(seq)
    }

    func readAhead(_ messages: Int) { readAhead.record(messages) }

    func lost(_ messages: Int) { lost.increment(by: messages) }

    func trimmed(_ messages: Int) { trimmedMessages.increment(by: messages) }

    func trimFailed() { trimFailures.increment() }

    func isRedisFull(_ isFull: Bool) { redisFull.record(isFull ? 1 : 0) }

    func decided(in duration: Duration) { deciding.record(duration: duration) }

    func recorded(in duration: Duration) { recording.record(duration: duration) }

    func acknowledged(in duration: Duration) { acknowledging.record(duration: duration) }

    /// Counts a batch that the ledger has committed.
    func count(_ tally: Tally, seq: Int64?) {
        batch.record(tally.messages)
        if let seq { self.seq.record(seq) }
        for (label, count) in tally.counts { outcomes[label]?.increment(by: count) }
        replays.increment(by: tally.replays)
    }
}
