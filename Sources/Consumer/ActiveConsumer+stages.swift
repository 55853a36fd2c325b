import Counters
import Failpoints
import Intake
import Inventory
import Ledger

/// The stages in their order, from what was read to what is settled.
extension ActiveConsumer {
    // MARK: - Plan, decide

    /// What a batch is decided by: the state as it was when deciding began. It cannot change before it ends.
    struct DecisionBasis: Sendable {
        var batch: Int
        var epoch: Int64
        var seq: Int64
        /// The connection over which the epoch was installed.
        var epochConnection: Int
        var planning: PlanningContext
    }

    /// What came of deciding.
    enum DecisionResult: Sendable {
        case decided(DecidedBatch)
        /// The next entry depends on what is being recorded, and must wait.
        case mustWait
    }

    func startDeciding() {
        guard deciding == nil, decided == nil, !mustWait, !queue.isEmpty else { return }
        let poison = queue.poison
        // A poison message is in flight alone, so that it alone is to blame.
        if poison != nil, recording != nil || undecoded.isUnderWay { return }
        // Decided now, it would wait for that one, and whatever comes meanwhile for both of them. Only a whole batch
        // gains.
        if recording != nil, !queue.isFull { return }
        batchNumber += 1
        let basis = DecisionBasis(
            batch: batchNumber, epoch: epoch, seq: seq, epochConnection: epochConnection,
            planning: PlanningContext(
                catalogue: catalog, recording: recording.map { UnrecordedBatch($0.batch) },
                maximumMovements: 2 * settings.batchLines,
                deadLetters: DeadLetterMaker(keptBytes: settings.deadLetterBytes), wantedReplays: replays.numbers))
        let front = queue.front()
        deciding = (
            basis.batch,
            Task {
                defer { post.yield(.decided(batch: basis.batch)) }
                if let poison { return try await decideAlone(poison, basis) }
                let planned = try await plan(front, basis)
                return planned.entries.isEmpty ? .mustWait : try await decide(planned, basis)
            }
        )
    }

    /// Processes an entry that was delivered often by itself.
    ///
    /// A note in the lock file says so while its own bytes are worked on: while it is decoded, and while its batch is
    /// planned. Not while Redis or the disk is waited for, where a process may be killed for any reason. The next process
    /// finds the note, and counts it against the entry.
    private nonisolated func decideAlone(
        _ entry: StreamEntry, _ basis: DecisionBasis
    ) async throws -> DecisionResult {
        let key = EntryKey(entry)
        let attempts = try await untilLedgerAnswers { [ledger] in try await ledger.attempts(key) }
        guard attempts < ConsumerSettings.poisonAttempts else {
            logger.error("an entry has brought the process down too often", metadata: ["entry": "\(entry.id)"])
            return try await decide(basis.planning.quarantine(entry), basis)
        }
        lock.note(key.note)
        let decoded = EntryDecoder.decode(entry)
        lock.note("")
        var planned = try await plan([decoded], basis, note: key.note)
        if attempts > 0 { planned.poison = key }
        return try await decide(planned, basis)
    }

    /// - Parameter note: of a poison message, for the lock file.
    private nonisolated func plan(
        _ entries: [DecodedEntry], _ basis: DecisionBasis, note: String? = nil
    ) async throws -> PlannedBatch {
        Failpoint.planBefore.pass()
        let planner = BatchPlanner(entries, basis.planning)
        let lookup = planner.lookup
        let prior = try await untilLedgerAnswers { [ledger] in try await ledger.priorState(for: lookup) }
        if let note { lock.note(note) }
        defer { if note != nil { lock.note("") } }
        let planned = planner.plan(by: prior)
        Failpoint.planAfter.pass()
        return planned
    }

    private nonisolated func decide(_ planned: PlannedBatch, _ basis: DecisionBasis) async throws -> DecisionResult {
        Failpoint.decideBefore.pass()
        var decisions: [Decision] = []
        let commands = planned.commands
        var seqAfter = basis.seq
        if !commands.isEmpty {
            let start = ContinuousClock.now
            let answer = try await untilRedisAnswers("deciding a batch") { [counters] in
                try await counters.decide(commands, epoch: basis.epoch, seq: basis.seq)
            }
            switch answer {
            case .fenced(let what, let found):
                throw EpochNeeded(
                    reason:
                        "Redis is in another state (\(what)): epoch \(found.epoch.map(String.init) ?? "none"), seq \(found.seq.map(String.init) ?? "none") instead of epoch \(basis.epoch), seq \(basis.seq)",
                    // A Redis that was away since may have forgotten its last writes: nobody's fault.
                    isOutage: redis.generation != basis.epochConnection, isLoss: true)
            case .decided(let seq, let decided):
                metrics.decided(in: .now - start)
                decisions = decided
                seqAfter = seq
            }
        }
        Failpoint.decideAfter.pass()
        return .decided(
            try DecidedBatch(
                planned, decisions, epoch: basis.epoch, seqBefore: basis.seq, seqAfter: seqAfter))
    }

    func finishDeciding() async throws {
        guard let task = deciding?.task else { return }
        deciding = nil
        switch try await task.value {
        case .mustWait:
            // Recorded meanwhile, nothing would end the waiting; and nothing is left to wait for.
            mustWait = recording != nil
        case .decided(let batch):
            seq = batch.seqAfter
            decided = batch
            queue.removeFirst(batch.entries.count)
        }
    }

    // MARK: - Record

    /// Batches that may wait for being settled before the next one is recorded.
    private static let settlingLimit = 2

    func startRecording() {
        guard recording == nil, settling.count < Self.settlingLimit, let batch = decided else { return }
        decided = nil
        let number = batchNumber
        let task = Task { [ledger, post, stop, logger, metrics] () throws -> RecordAnswer in
            defer { post.yield(.recorded(batch: number)) }
            Failpoint.recordBefore.pass()
            // A batch in which everything was known already changes nothing.
            if batch.record.isEmpty { return .recorded(records: 0) }
            let start = ContinuousClock.now
            let answer = try await retryingLedger(stop: stop, logger: logger) { try await ledger.record(batch.record) }
            if case .recorded = answer { metrics.recorded(in: .now - start) }
            Failpoint.recordAfter.pass()
            return answer
        }
        recording = (number, batch, task)
    }

    func finishRecording() async throws {
        guard let (number, batch, task) = recording else { return }
        switch try await task.value {
        case .recorded(let records):
            recording = nil
            mustWait = false
            epochsWithoutProgress = 0
            epochBackoff = nil
            settling.append((number, batch.settlement(records: records)))
            // Here as well, as what is decided is let through when all is taken back.
            startRecording()
            count(batch)
        case .outdated(let head):
            throw EpochNeeded(
                reason: head.catalogueVersion != batch.record.catalogueVersion
                    ? "catalogue version \(head.catalogueVersion)"
                    : "the ledger is at epoch \(head.epoch), seq \(head.seq)",
                // Somebody asked for it; only another seq would be the batch's own.
                isOutage: head.catalogueVersion != batch.record.catalogueVersion || head.epoch != batch.record.epoch)
        case .disagreed(.miscounted(let counter)):
            logger.error(
                "the ledger's own figures do not add up; they are counted anew",
                metadata: ["level": "\(counter.level.rawValue)", "id": "\(counter.id)"])
            _ = try await untilLedgerAnswers { [ledger] in
                try await ledger.repairMiscounts(reason: "found while recording a cancellation")
            }
            throw EpochNeeded(reason: "the ledger's figures were counted anew")
        case .disagreed(let disagreement):
            throw EpochNeeded(
                reason: "the ledger's figures do not give the counters' decision of \(disagreement)")
        }
    }

    private func count(_ batch: DecidedBatch) {
        metrics.count(batch)
        totals.add(batch.tally)
    }

    // MARK: - Settle

    func startSettling() {
        guard settleTask == nil, let (batch, recorded) = settling.first else { return }
        // In the name of the epoch that is in Redis now: the batch's own may be over.
        var settlement = recorded
        settlement.epoch = epoch
        if isAcknowledgingSuspended { settlement.entries = [] }
        let task = Task {
            [
                ledger, counters, settings, post, stop, logger, metrics, settlement,
                keepOutcomes = trimPolicy.keepOutcomes
            ]
            () throws -> SettleAnswer in
            defer { post.yield(.settled(batch: batch)) }
            Failpoint.settleBefore.pass()
            let start = ContinuousClock.now
            var whole = SettleReport()
            for (number, slice) in settlement.slices(of: settings.slice).enumerated() {
                guard ledger.file.isInPlace else { throw LedgerError.replaced(path: ledger.path) }
                if number > 0 { Failpoint.settleBetween.pass() }
                // Repeating does no harm, so doubt is as good as failure.
                let answer = try await retryingRedis("settling", stop: stop, logger: logger, doubtIsHarmless: true) {
                    try await counters.settle(slice, keepOutcomes: keepOutcomes)
                }
                guard case .settled(let report) = answer else { return .fenced }
                whole.add(report)
            }
            metrics.settled(in: .now - start)
            Failpoint.settleAfter.pass()
            return .settled(whole)
        }
        settleTask = (epoch, task)
    }

    func finishSettling() async throws {
        guard let (sentIn, task) = settleTask else { return }
        let answer = try await task.value
        settleTask = nil
        guard case .settled(let report) = answer else {
            // It stays the first to be settled. Either its epoch has ended since it was sent, or Redis has lost it.
            if sentIn != epoch { return }
            throw EpochNeeded(reason: "the counters were changed or lost", isOutage: true, isLoss: true)
        }
        settling.removeFirst()
        if report.unannounced > 0 || report.unpublished > 0 {
            logger.error(
                "outcomes or changes could not be announced",
                metadata: ["outcomes": "\(report.unannounced)", "changes": "\(report.unpublished)"])
        }
    }
}
