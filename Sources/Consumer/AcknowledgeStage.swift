import Counters
import Failpoints
import Ledger
import Logging

/// Acknowledges and announces what the ledger has recorded.
struct AcknowledgeStage: Sendable {
    let settings: ConsumerSettings
    let ledger: LedgerDatabase
    let counters: CounterStore
    let trimmer: StreamTrimmer
    let retrying: Retrying
    let metrics: ConsumerMetrics

    func acknowledge(_ settlement: Settlement) async throws -> SettleAnswer {
        Failpoint.settleBefore.pass()
        let start = ContinuousClock.now
        let keepOutcomes = await trimmer.keepOutcomes
        var whole = SettleReport()
        for (number, slice) in settlement.slices(of: settings.slice).enumerated() {
            guard ledger.file.isInPlace else { throw LedgerError.replaced(path: ledger.path) }
            if number > 0 { Failpoint.settleBetween.pass() }
            // Repeating does no harm, so doubt is as good as failure.
            let answer = try await retrying.redis("settling", doubtIsHarmless: true) { [counters] in
                try await counters.settle(slice, keepOutcomes: keepOutcomes)
            }
            guard case .settled(let report) = answer else { return .fenced }
            whole.add(report)
        }
        metrics.settled(in: .now - start)
        Failpoint.settleAfter.pass()
        if whole.unannounced > 0 || whole.unpublished > 0 {
            retrying.logger.error(
                "outcomes or changes could not be announced",
                metadata: ["outcomes": "\(whole.unannounced)", "changes": "\(whole.unpublished)"])
        }
        return .settled(whole)
    }

    /// Nothing depends on it.
    func announce(_ change: Settlement) async {
        do {
            for slice in change.slices(of: settings.slice) {
                _ = try await counters.settle(slice, keepOutcomes: trimmer.keepOutcomes)
            }
        } catch {
            retrying.logger.warning(
                "changes of the catalogue could not be published", metadata: ["error": "\(error)"])
        }
    }
}
