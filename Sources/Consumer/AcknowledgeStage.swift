import Counters
import Failpoints
import Ledger
import Logging

/// Acknowledges and announces what the ledger has recorded.
struct AcknowledgeStage: Sendable {
    let settings: ConsumerSettings
    let ledger: any LedgerStore
    let gate: any Gate
    let trimmer: StreamTrimmer
    let retrying: Retrying
    let clock: any ConsumerClock
    let metrics: ConsumerMetrics

    func acknowledge(_ acknowledgement: Acknowledgement) async throws -> AcknowledgeAnswer {
        Failpoint.acknowledgeBefore.pass()
        let start = clock.now
        let keepOutcomes = await trimmer.keepOutcomes
        var whole = AcknowledgeReport()
        for (number, slice) in acknowledgement.slices(of: settings.slice).enumerated() {
            try await ledger.requireInPlace()
            if number > 0 { Failpoint.acknowledgeBetween.pass() }
            // Repeating is harmless, so a call that may have been executed is repeated, too.
            let answer = try await retrying.redis("acknowledging", doubtIsHarmless: true) { [gate] in
                try await gate.acknowledge(slice, keepOutcomes: keepOutcomes)
            }
            guard case .acknowledged(let report) = answer else { return .fenced }
            whole.add(report)
        }
        metrics.acknowledged(in: clock.now - start)
        Failpoint.acknowledgeAfter.pass()
        if whole.unannounced > 0 || whole.unpublished > 0 {
            retrying.logger.error(
                "outcomes or changes could not be announced",
                metadata: ["outcomes": "\(whole.unannounced)", "changes": "\(whole.unpublished)"])
        }
        return .acknowledged(whole)
    }

    /// Publishes a change of the catalogue. Nothing depends on it: a failure is only logged.
    func announce(_ change: Acknowledgement) async {
        do {
            for slice in change.slices(of: settings.slice) {
                _ = try await gate.acknowledge(slice, keepOutcomes: trimmer.keepOutcomes)
            }
        } catch {
            retrying.logger.warning(
                "changes of the catalogue could not be published", metadata: ["error": "\(error)"])
        }
    }
}
