/// The description of a metric, which is found by its name.
package struct MetricDescription: Sendable {
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// - Parameter bounds: the upper bounds of its buckets. A bucket for all values is always added.
        case histogram(bounds: [Double])

        /// The name of the kind in the text format.
        package var typeName: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }

        var bounds: [Double] { if case .histogram(let bounds) = self { bounds } else { [] } }
    }

    package var name: String
    package var kind: Kind
    /// The names of its labels.
    package var labels: [String]
    /// The HELP text, one sentence.
    package var help: String

    package init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    /// Bucket bounds for durations, in seconds: from the time that one Redis call takes to longer than any client
    /// waits.
    package static let durations: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Bucket bounds for batches and similar counts.
    package static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096]
}

extension MetricDescription {
    /// Every metric of this program; docs/metrics.md explains how to use them.
    package static let all: [MetricDescription] = [
        // The consumer.
        .init(
            "stocktake_outcomes_total", .counter, labels: ["outcome", "reason"],
            "Messages that this process has recorded, by outcome."),
        .init("stocktake_replays_total", .counter, "Messages that had been recorded before and changed nothing."),
        .init("stocktake_batch_messages", .histogram(bounds: sizes), "Messages in a batch that was recorded."),
        .init(
            "stocktake_decide_duration_seconds", .histogram(bounds: durations),
            "Time between asking Redis to decide a batch and its reply."),
        .init(
            "stocktake_record_duration_seconds", .histogram(bounds: durations),
            "Time between starting to record a batch in the ledger and its commit."),
        .init(
            "stocktake_settle_duration_seconds", .histogram(bounds: durations),
            "Time between asking Redis to acknowledge a batch and its reply."),
        .init("stocktake_read_ahead_messages", .gauge, "Messages that were read and are not decided yet."),
        .init("stocktake_lost_messages_total", .counter, "Messages lost from the stream before they were processed."),
        .init(
            "stocktake_trimmed_messages_total", .counter, "Processed messages that were dropped from the stream."),
        .init(
            "stocktake_trim_failures_total", .counter,
            "Failed attempts to trim the stream, which keeps growing."),
        .init("stocktake_redis_full", .gauge, "1 while Redis refuses writes for lack of memory."),
        .init("stocktake_epochs_total", .counter, "Epochs this process has opened."),
        .init("stocktake_consumer_active", .gauge, "1 while this process is the active consumer."),
        // Alongside the consumer.
        .init("stocktake_drift_counters", .gauge, "Counters that drift, as of the last comparison."),
        .init(
            "stocktake_reconciliations_total", .counter, labels: ["result"],
            "Comparisons of counters and ledger beside the active consumer, by what they found."),
        .init("stocktake_repairs_total", .counter, "Counters and fields that were repaired."),
        // The store, as of the latest snapshot.
        .init("stocktake_epoch", .gauge, "The ledger's epoch."),
        .init("stocktake_seq", .gauge, "The highest seq that is recorded."),
        .init("stocktake_orders", .gauge, "Orders in the ledger."),
        .init("stocktake_refunds_due", .gauge, "Payments that are due to be refunded."),
        .init(
            "stocktake_refunds_due_minor_units", .gauge, labels: ["currency"],
            "Total of the refunds due, without unknown amounts."),
        .init("stocktake_refunds_due_of_unknown_amount", .gauge, "Refunds due whose amount is unknown."),
        .init("stocktake_dead_letters_open", .gauge, "Dead letters that are not resolved."),
        .init("stocktake_dead_letter_bytes", .gauge, "Bytes that the content of all dead letters takes in the ledger."),
        .init("stocktake_replays_wanted", .gauge, "Dead letters that must be published again."),
        .init("stocktake_unannounced_rows", .gauge, "Rows of the journal whose outcomes are not announced yet."),
        .init("stocktake_backlog_messages", .gauge, "Messages in the stream that no consumer has read."),
        .init("stocktake_pending_messages", .gauge, "Messages that were read and are not acknowledged."),
        .init(
            "stocktake_oldest_waiting_seconds", .gauge, "Age of the oldest message that is unread or not acknowledged."),
        .init("stocktake_active_consumers", .gauge, "1 while any process is the store's active consumer."),
        .init("stocktake_redis_up", .gauge, "1 while Redis replies."),
        .init("stocktake_redis_memory_bytes", .gauge, "Memory that Redis uses."),
        .init("stocktake_ledger_up", .gauge, "1 while the ledger can be read and written."),
        .init(
            "stocktake_ledger_sound", .gauge,
            "1 if the last check of the ledger found no damage, 0 if it found some, NaN before the first check."),
        .init("stocktake_ledger_bytes", .gauge, "Bytes that the ledger takes, with its log."),
        .init("stocktake_ledger_log_bytes", .gauge, "Size of the ledger's log alone."),
        .init("stocktake_build_info", .gauge, labels: ["version"], "Always 1; its label is the program's version."),
        // HTTP.
        .init(
            "stocktake_http_requests_total", .counter, labels: ["route", "status"],
            "Requests that received a response, by route pattern and status."),
        .init(
            "stocktake_http_unread_bytes", .gauge, "Bytes held for clients that have not read them."),
        .init(
            "stocktake_http_cut_off_total", .counter, labels: ["reason"],
            "Connections that were closed because their clients did not read."),
        .init("stocktake_reads_total", .counter, labels: ["source"], "Reads of availability, by source."),
        .init("stocktake_read_round_trips_total", .counter, "Round trips that these reads have shared."),
        .init("stocktake_subscribers", .gauge, "Clients that follow availability."),
        .init("stocktake_events_total", .counter, "Events of live availability, counted once per subscriber."),
        .init("stocktake_events_missed_total", .counter, "Times that a subscriber fell behind."),
    ]
}
