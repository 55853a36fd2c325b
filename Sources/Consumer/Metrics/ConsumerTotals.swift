import Domain

/// The totals of a consumer's work since its start.
package struct ConsumerTotals: Sendable {
    private var outcomes: [Outcome.Kind: Int] = [:]
    package var replays = 0
    package var batches = 0
    package var epochs = 0

    /// The number of messages with an outcome of this kind.
    package subscript(kind: Outcome.Kind) -> Int { outcomes[kind] ?? 0 }

    mutating func add(_ batch: Tally) {
        batches += 1
        for (label, count) in batch.counts { outcomes[label.kind, default: 0] += count }
        replays += batch.replays
    }
}
