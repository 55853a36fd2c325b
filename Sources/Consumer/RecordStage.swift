import Concurrency
import Failpoints
import Ledger

/// Has the ledger record a batch.
struct RecordStage: Sendable {
    let ledger: any LedgerStore
    let retrier: Retrier
    let clock: any TimeSource
    let metrics: ConsumerMetrics

    func record(_ batch: JournalBatch) async throws -> RecordResult {
        Failpoint.recordBefore.pass()
        // A batch in which everything was known already changes nothing. Redis keeps the larger number of messages.
        if batch.isEmpty { return .recorded(position: 0) }
        let start = clock.now
        let result = try await retrier.ledger { [ledger] in try await ledger.record(batch) }
        if case .recorded = result { metrics.recorded(in: clock.now - start) }
        Failpoint.recordAfter.pass()
        return result
    }
}
