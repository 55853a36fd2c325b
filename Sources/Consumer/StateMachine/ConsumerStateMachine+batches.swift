import Counters
import Ingest
import Domain
import Ledger

/// The stages of a batch: decoding, deciding, recording and acknowledging.
extension ConsumerStateMachine {
    // MARK: - Decode

    /// Starts decoding the next delivery. One delivery is decoded at a time; meanwhile the next one is read, and an
    /// earlier one is decided.
    mutating func startDecoding() {
        // Nothing else is decoded together with a poison message, so that only that message can cause a crash.
        guard queue.poison == nil, let entries = undecoded.next() else { return }
        actions.append(.decode(entries))
    }

    mutating func decoded(_ entries: [ReadEntry]) {
        let delivery = undecoded.finish()
        assert(delivery.elementsEqual(entries) { $0.id == $1.entry.id }, "decoded entries keep their order")
        queue.append(entries)
    }

    // MARK: - Plan, decide

    mutating func startDeciding() {
        guard case .active = phase, case .idle = deciding, chores.inProgress != .watch, !queue.isEmpty else { return }
        let poison = queue.poison
        var unrecorded: UnrecordedBatch?
        if case .inProgress(let batch) = recording {
            // A poison message is the only one in flight until it is recorded.
            if poison != nil || batch.isPoison { return }
            unrecorded = UnrecordedBatch(batch)
        }
        if poison != nil, undecoded.decoding == .inProgress { return }
        let planning = PlanningContext(
            catalogue: epoch.catalogue, recording: unrecorded, maximumMovements: 2 * settings.batchLines,
            deadLetters: DeadLetterMaker(keptBytes: settings.deadLetterBytes), requestedReplays: replays.wanted)
        deciding = .inProgress
        let entries = poison.map { DecisionRequest.Entries.poison($0) } ?? .batch(queue.peekBatch())
        actions.append(.decide(DecisionRequest(entries: entries, epoch: epoch, seq: seq, planning: planning)))
    }

    /// Ends deciding.
    /// - Returns: whether to use the result. A decision made in an epoch that is ending is discarded.
    private mutating func endDeciding() -> Bool {
        guard case .inProgress = deciding else {
            assertionFailure("a decision that was not requested")
            return false
        }
        deciding = .idle
        if case .active = phase { return true }
        return false
    }

    mutating func decided(_ batch: DecidedBatch) {
        guard endDeciding() else { return }
        assert(batch.record.epoch == epoch.number && batch.record.seqBefore == seq, "decided in a different state")
        assert(queue.startsWith(batch.entries), "decided entries are the first of the queue")
        seq = batch.seqAfter
        queue.removeFirst(batch.entries.count)
        deciding = .done(batch)
    }

    mutating func blocked() {
        guard endDeciding() else { return }
        // If that batch is already recorded, there is nothing left to wait for, and no event would end the wait.
        if case .inProgress = recording { deciding = .blocked }
    }

    mutating func undecided(_ needed: EpochReason) {
        // In an epoch that is ending, a decision no longer matters, but a data loss in Redis does.
        if endDeciding() { return need(needed) }
        if case .doubtful = needed.memory { reading.distrustMemory() }
    }

    // MARK: - Record

    mutating func startRecording() {
        guard case .idle = recording, unacknowledged.count < Self.unacknowledgedLimit, case .done(let batch) = deciding
        else { return }
        // A batch is recorded even while the epoch is ending: a decision that the ledger's own balances confirm is
        // valid, whatever happened to Redis.
        switch phase {
        case .active, .closing: break
        case .opening, .finished: return
        }
        assert(batch.record.seqBefore == recordedSeq, "batches are recorded in the order in which they were decided")
        deciding = .idle
        recording = .inProgress(batch)
        actions.append(.record(batch.record))
    }

    mutating func recorded(_ result: RecordResult) {
        guard case .inProgress(let batch) = recording else {
            return assertionFailure("recorded without being asked to")
        }
        recording = .idle
        if case .blocked = deciding { deciding = .idle }
        switch result {
        case .recorded(let position):
            (epochsInARow, epochsWithoutProgress) = (0, 0)
            recordedSeq = batch.seqAfter
            note(batch, recordedThrough: position)
            return
        case .outdated(let head):
            // An operator has requested another catalogue or epoch. Only a wrong seq is caused by the batch.
            if head.catalogueVersion != batch.record.catalogueVersion {
                need(EpochReason(.outage, "catalogue version \(head.catalogueVersion)"))
            } else {
                let cause = head.epoch == batch.record.epoch ? EpochReason.Cause.batch : .outage
                let isSame = head.epoch == batch.record.epoch && head.seq == batch.record.seqBefore
                let what = isSame ? "has a part of the batch already" : "is at epoch \(head.epoch), seq \(head.seq)"
                need(EpochReason(cause, "the ledger \(what)"))
            }
        case .disagreed(.miscounted(let counter)):
            need(EpochReason(.miscount(counter), "the ledger's counters were recounted"))
        case .disagreed(let disagreement):
            need(
                EpochReason(.batch, "the ledger's counters do not confirm the gate's decision of \(disagreement)"))
        }
        // The next decision depends on this one.
        if case .done(let next) = deciding {
            queue.putBack(next.entries)
            deciding = .idle
        }
        queue.putBack(batch.entries)
    }

    // MARK: - Acknowledge

    /// Notes that the journal contains a batch, through this position; 0 if the batch had nothing to record.
    private mutating func note(_ batch: DecidedBatch, recordedThrough position: Int64) {
        let records = batch.record.records
        let rows = BatchRows(epoch: batch.record.epoch, first: position - Int64(records.count) + 1)
        unacknowledged.append(
            Unacknowledged(
                entries: batch.entries.map(\.entry.id),
                repeated: batch.replays.map { $0.recorded(in: rows, after: recordedRows) }, changed: batch.changed))
        let outcomes = records.enumerated().map { RecordedOutcome(outcome: Outcome($1), place: rows.place(of: $0)) }
        let tally = Tally(outcomes, replays: batch.replays.count)
        totals.add(tally)
        actions.append(.report(.recorded(tally, seq: batch.seqAfter > batch.record.seqBefore ? batch.seqAfter : nil)))
        if records.isEmpty { return }
        recordedRows = rows
        announcing.add(outcomes, through: position)
    }

    /// Acknowledges the first waiting batch, and announces the next outcomes of the journal in the same call.
    mutating func startAcknowledging() {
        guard case .active = phase, case .idle = acknowledging else { return }
        let (batch, announcement) = (unacknowledged.first, announcing.next)
        if batch == nil, announcement == nil { return }
        acknowledging = .inProgress(hasBatch: batch != nil)
        // The call names the epoch that is in Redis now: the batch's epoch may have ended.
        let recorded = LedgerHead.messages(
            upTo: announcing.recorded, catalogueVersion: epoch.catalogue.version)
        actions.append(
            .acknowledge(
                Acknowledgement(
                    epoch: epoch.number, settled: recordedSeq, recorded: recorded,
                    entries: reading.memory == .trusted ? batch?.entries ?? [] : [], announcement: announcement,
                    repeated: batch?.repeated ?? [], changed: batch?.changed ?? [])))
    }

    mutating func startReadingJournal() {
        guard case .active = phase, let range = announcing.rowsToRead() else { return }
        actions.append(.readJournal(range))
    }

    mutating func acknowledged(_ result: AcknowledgeResult, sentIn sender: Int64) {
        guard case .inProgress(let hasBatch) = acknowledging else {
            return assertionFailure("acknowledged without being asked to")
        }
        acknowledging = .idle
        switch result {
        case .acknowledged(let report):
            if hasBatch { unacknowledged.removeFirst() }
            // A later epoch has already learned from its installation how far Redis has announced.
            if sender == epoch.number { announced(report) }
        case .fenced:
            // The batch stays first in line. Either the epoch has ended since the call was sent, or Redis has lost the
            // epoch. While the next epoch is being installed, it may be either, and memory may be distrusted
            // unnecessarily.
            if sender == epoch.number {
                need(EpochReason(.outage, "the counters were changed or lost", memory: .doubtful))
            }
        }
    }

    private mutating func announced(_ report: AcknowledgeReport) {
        guard let position = report.announced, position <= announcing.recorded else {
            // Another client has changed the position; an installation corrects it.
            return need(EpochReason(.outage, "the counters were changed or lost", memory: .doubtful))
        }
        if let news = announcing.note(announced: position, refusal: report.refusal) { actions.append(.report(news)) }
    }
}
