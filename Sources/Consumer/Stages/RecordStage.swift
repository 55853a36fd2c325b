import Concurrency
import Failpoints
import Ledger

/// Records a batch in the ledger.
struct RecordStage: Sendable {
    let ledger: any LedgerStore
    let retrier: Retrier
    let clock: any TimeSource
    let metrics: ConsumerMetrics

    func record(_ batch: JournalBatch) async throws -> RecordResult {
        Failpoint.recordBefore.pass()
        // Every message of the batch was recorded before: the ledger does not change.
        if batch.isEmpty { return .recorded(position: 0) }
        let start = clock.now
        let result = try await retrier.ledger { [ledger] in try await ledger.record(batch) }
        if case .recorded = result { metrics.recorded(in: clock.now - start) }
        Failpoint.recordAfter.pass()
        return result
    }
}
