/// What a consumer has done since its start.
package struct ConsumerTotals: Sendable {
    package var accepted = 0
    package var refused = 0
    package var cancelled = 0
    package var adjusted = 0
    package var deadLetters = 0
    package var replays = 0
    package var batches = 0
    package var epochs = 0

    mutating func add(_ batch: Tally) {
        batches += 1
        accepted += batch.accepted
        refused += batch.refused.values.reduce(0, +)
        cancelled += batch.cancelled.values.reduce(0, +)
        adjusted += batch.adjusted
        deadLetters += batch.deadLetters.values.reduce(0, +)
        replays += batch.replays
    }
}
