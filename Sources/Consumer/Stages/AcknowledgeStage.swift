import Concurrency
import Counters
import Failpoints
import Ledger
import Logging

/// Acknowledges entries that the ledger has recorded, and announces their outcomes.
struct AcknowledgeStage: Sendable {
    let settings: ConsumerSettings
    let ledger: any LedgerStore
    let gate: any Gate
    let trimmer: StreamTrimmer
    let retrier: Retrier
    let clock: any TimeSource
    let metrics: ConsumerMetrics

    func acknowledge(_ acknowledgement: Acknowledgement) async throws -> AcknowledgeResult {
        Failpoint.acknowledgeBefore.pass()
        let start = clock.now
        let keepOutcomes = await trimmer.keepOutcomes
        var whole = AcknowledgeReport()
        for (number, slice) in acknowledgement.slices(of: settings.slice).enumerated() {
            try await ledger.requireInPlace()
            if number > 0 { Failpoint.acknowledgeBetween.pass() }
            // The call is idempotent, so it is retried even if it may have been executed.
            let result = try await retrier.redis("acknowledging", retriesInDoubt: true) { [gate] in
                try await gate.acknowledge(slice, keepOutcomes: keepOutcomes)
            }
            guard case .acknowledged(let report) = result else { return .fenced }
            whole.add(report)
        }
        if !acknowledgement.entries.isEmpty { metrics.acknowledged(in: clock.now - start) }
        Failpoint.acknowledgeAfter.pass()
        if whole.unrepeated > 0 || whole.unpublished > 0 {
            retrier.logger.error(
                "outcomes of repeated messages, or changes, could not be announced",
                metadata: ["outcomes": "\(whole.unrepeated)", "changes": "\(whole.unpublished)"])
        }
        return .acknowledged(whole)
    }

    /// Reads from the ledger the outcomes that must be announced, a limited number of rows at a time. Skips older
    /// outcomes that Redis would not keep.
    func outcomes(of range: JournalRange) async throws -> JournalOutcomes {
        let keepOutcomes = await Int64(trimmer.keepOutcomes)
        let start = max(range.after, range.through - keepOutcomes)
        if start > range.after {
            retrier.logger.notice(
                "more outcomes wait than redis keeps; the oldest are no longer announced, but 'outcomes list' shows them",
                metadata: ["passed_over": "\(start - range.after)", "keep_outcomes": "\(keepOutcomes)"])
        }
        return try await retrier.ledger { [ledger, limit = settings.batchOrders] in
            try await ledger.outcomes(after: start, through: range.through, limit: limit)
        }
    }

    /// Publishes a change of the catalogue. Nothing depends on it, so a failure is only logged.
    func announce(_ change: Acknowledgement) async {
        do {
            for slice in change.slices(of: settings.slice) {
                _ = try await gate.acknowledge(slice, keepOutcomes: trimmer.keepOutcomes)
            }
        } catch {
            retrier.logger.warning(
                "changes of the catalogue could not be published", metadata: ["error": "\(error)"])
        }
    }
}
