import Counters
import Intake
import Inventory
import Ledger

/// The stages between reading and epochs.
extension ConsumerStateMachine {
    // MARK: - Decode

    /// One delivery at a time: meanwhile the next one is read, and an earlier one decided.
    mutating func startDecoding() {
        // A poison message is decoded with nothing else being decoded, so that it alone is to blame.
        guard queue.poison == nil, let entries = undecoded.next() else { return }
        actions.append(.decode(entries))
    }

    mutating func decoded(_ entries: [ReadEntry]) {
        let delivery = undecoded.finish()
        assert(delivery.elementsEqual(entries) { $0.id == $1.entry.id }, "entries come back as they were given")
        queue.append(entries)
    }

    // MARK: - Plan, decide

    mutating func startDeciding() {
        guard case .active = phase, case .idle = deciding, chores.underWay != .watch, !queue.isEmpty else { return }
        let poison = queue.poison
        var unrecorded: UnrecordedBatch?
        if case .underWay(let batch) = recording {
            // A poison message is in flight alone. Any other batch would wait for the one before it, and what comes
            // meanwhile for both of them: only a full one gains.
            if poison != nil || !queue.isFull { return }
            unrecorded = UnrecordedBatch(batch)
        }
        if poison != nil, undecoded.isUnderWay { return }
        let planning = PlanningContext(
            catalogue: epoch.catalogue, recording: unrecorded, maximumMovements: 2 * settings.batchLines,
            deadLetters: DeadLetterMaker(keptBytes: settings.deadLetterBytes), wantedReplays: replays.wanted)
        deciding = .underWay
        let entries = poison.map { DecisionRequest.Entries.poison($0) } ?? .batch(queue.peekBatch())
        actions.append(.decide(DecisionRequest(entries: entries, epoch: epoch, seq: seq, planning: planning)))
    }

    /// Ends deciding.
    /// - Returns: whether what came of it counts: what the gate decided in an epoch that ends does not.
    private mutating func endDeciding() -> Bool {
        guard case .underWay = deciding else {
            assertionFailure("a decision that was not asked for")
            return false
        }
        deciding = .idle
        if case .active = phase { return true }
        return false
    }

    mutating func decided(_ batch: DecidedBatch) {
        guard endDeciding() else { return }
        assert(batch.record.epoch == epoch.number && batch.record.seqBefore == seq, "decided in another state")
        assert(queue.startsWith(batch.entries), "decided entries are the first of the queue")
        seq = batch.seqAfter
        queue.removeFirst(batch.entries.count)
        deciding = .done(batch)
    }

    mutating func mustWait() {
        guard endDeciding() else { return }
        // If it is recorded already, nothing would end the waiting; and nothing is left to wait for.
        if case .underWay = recording { deciding = .blocked }
    }

    mutating func undecided(_ needed: EpochNeeded) {
        if endDeciding() { need(needed) }
    }

    // MARK: - Record

    mutating func startRecording() {
        guard case .idle = recording, unacknowledged.count < Self.unacknowledgedLimit, case .done(let batch) = deciding
        else { return }
        // Also while an epoch ends: the decisions are the ledger's as well as Redis', if it takes them.
        switch phase {
        case .active, .closing: break
        case .opening, .finished: return
        }
        assert(batch.record.seqBefore == recordedSeq, "batches are recorded in the order in which they were decided")
        deciding = .idle
        recording = .underWay(batch)
        actions.append(.record(batch.record))
    }

    mutating func recorded(_ answer: RecordAnswer) {
        guard case .underWay(let batch) = recording else { return assertionFailure("recorded without being asked to") }
        recording = .idle
        if case .blocked = deciding { deciding = .idle }
        switch answer {
        case .recorded(let records):
            (epochsInARow, epochsOfOneBatch) = (0, 0)
            recordedSeq = batch.seqAfter
            unacknowledged.append(Unacknowledged(batch: batch, records: records))
            count(batch)
            return
        case .outdated(let head):
            // Somebody asked for another catalogue or epoch; only another seq would be the batch's own.
            if head.catalogueVersion != batch.record.catalogueVersion {
                need(EpochNeeded(.outage, "catalogue version \(head.catalogueVersion)"))
            } else {
                let cause = head.epoch == batch.record.epoch ? EpochNeeded.Cause.batch : .outage
                need(EpochNeeded(cause, "the ledger is at epoch \(head.epoch), seq \(head.seq)"))
            }
        case .disagreed(.miscounted(let counter)):
            need(EpochNeeded(.miscount(counter), "the ledger's figures were counted anew"))
        case .disagreed(let disagreement):
            need(
                EpochNeeded(.batch, "the ledger's figures do not give the counters' decision of \(disagreement)"))
        }
        // What was decided after it counts on it.
        if case .done(let next) = deciding {
            queue.putBack(next.entries)
            deciding = .idle
        }
        queue.putBack(batch.entries)
    }

    // MARK: - Acknowledge

    mutating func startAcknowledging() {
        guard case .active = phase, case .idle = acknowledging, let first = unacknowledged.first else { return }
        // In the name of the epoch that is in Redis now: the batch's own may be over.
        var acknowledgement = first.batch.acknowledgement(records: first.records, epoch: epoch.number)
        if case .doubtful = reading.memory { acknowledgement.entries = [] }
        acknowledging = .underWay
        actions.append(.acknowledge(acknowledgement))
    }

    mutating func acknowledged(_ answer: AcknowledgeAnswer, sentIn epoch: Int64) {
        guard case .underWay = acknowledging else { return assertionFailure("acknowledged without being asked to") }
        acknowledging = .idle
        switch answer {
        case .acknowledged: unacknowledged.removeFirst()
        case .fenced:
            // It stays the first one. Either its epoch has ended since it was sent, or Redis has lost it.
            if epoch == self.epoch.number {
                need(EpochNeeded(.outage, "the counters were changed or lost", memory: .doubtful))
            }
        }
    }
}
