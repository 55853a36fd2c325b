import Concurrency
import Counters
import Failpoints
import Ingest
import Domain
import Ledger
import Logging

/// Plans a batch from the state of the ledger, and has the gate decide it.
struct DecideStage: Sendable {
    let ledger: any LedgerStore
    let gate: any Gate
    let lease: any Lease
    let retrier: Retrier
    let clock: any TimeSource
    let metrics: ConsumerMetrics

    func decide(_ request: DecisionRequest) async throws -> ConsumerEvent {
        do {
            let planned: PlannedBatch
            switch request.entries {
            case .batch(let entries): planned = try await plan(entries, request.planning)
            case .poison(let entry): planned = try await plan(poison: entry, request.planning)
            }
            return planned.entries.isEmpty ? .blocked : .decided(try await decide(planned, request))
        } catch let needed as EpochReason {
            return .undecided(needed)
        }
    }

    /// Plans a possible poison message: an entry that was delivered many times is planned alone.
    ///
    /// A note with the lease names the entry while its bytes are processed: while it is decoded, and while its batch is
    /// planned. There is no note while the process waits for Redis or the disk, because it may be killed then for any
    /// reason. The next process finds the note and counts it as an attempt at the entry.
    private func plan(poison entry: StreamEntry, _ context: PlanningContext) async throws -> PlannedBatch {
        let key = EntryIdentity(entry)
        let attempts = try await retrier.ledger { [ledger] in try await ledger.attempts(key) }
        guard attempts < ConsumerSettings.poisonAttempts else {
            retrier.logger.error(
                "an entry has crashed the process too often", metadata: ["entry": "\(entry.id)"])
            return context.quarantine(entry, at: clock.timestamp)
        }
        await lease.note(key.note)
        let decoded = EntryDecoder.decode(entry)
        await lease.note("")
        var planned = try await plan([decoded], context, note: key.note)
        if attempts > 0 { planned.poison = key }
        return planned
    }

    /// - Parameter note: the note of a poison message, to leave with the lease.
    private func plan(
        _ entries: [DecodedEntry], _ context: PlanningContext, note: String? = nil
    ) async throws -> PlannedBatch {
        Failpoint.planBefore.pass()
        let planner = BatchPlanner(entries, context, at: clock.timestamp)
        let prior = try await retrier.ledger { [ledger, lookup = planner.lookup] in
            try await ledger.priorState(for: lookup)
        }
        if let note { await lease.note(note) }
        let planned = planner.plan(by: prior)
        Failpoint.planAfter.pass()
        if note != nil { await lease.note("") }
        return planned
    }

    /// - Throws: `EpochReason` if Redis is in a different state, or if the result is unknown.
    private func decide(_ planned: PlannedBatch, _ request: DecisionRequest) async throws -> DecidedBatch {
        Failpoint.decideBefore.pass()
        let (epoch, seq) = (request.epoch, request.seq)
        let commands = planned.commands
        var decisions: [Decision] = []
        var seqAfter = seq
        if !commands.isEmpty {
            let start = clock.now
            let result = try await retrier.redis("deciding a batch") { [gate] in
                try await gate.decide(commands, epoch: epoch.number, seq: seq)
            }
            switch result {
            case .fenced(let what, let found):
                throw EpochReason(
                    // A Redis that was unavailable in the meantime may have lost its last writes: the batch is not the
                    // cause.
                    gate.connection == epoch.connection ? .batch : .outage,
                    """
                    Redis is in a different state (\(what)): epoch \(found.epoch.map(String.init) ?? "none"), seq \
                    \(found.seq.map(String.init) ?? "none") instead of epoch \(epoch.number), seq \(seq)
                    """, memory: .doubtful)
            case .decided(let seq, let decided):
                metrics.decided(in: clock.now - start)
                (decisions, seqAfter) = (decided, seq)
            }
        }
        Failpoint.decideAfter.pass()
        return try DecidedBatch(
            planned, decisions, epoch: epoch.number, seqBefore: seq, seqAfter: seqAfter, decidedAt: clock.timestamp)
    }
}
