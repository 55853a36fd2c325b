import Counters
import Inventory
import Ledger

extension PreparedBatch {
    /// Puts the gate's answers to the entries they belong to.
    /// - Parameters:
    ///   - answers: one an operation, in their order.
    ///   - seqBefore: the counters' seq before the call.
    func decided(
        number: Int, answers: [Decision], epoch: Int64, seqBefore: Int64, seqAfter: Int64
    ) throws -> DecidedBatch {
        let decidedAt = Timestamp.now()
        var batch = DecidedBatch(
            number: number, entries: entries,
            record: RecordBatch(epoch: epoch, catalogueVersion: catalogueVersion, seqBefore: seqBefore),
            seqAfter: seqAfter)
        batch.inFlight.cancelledOrders = cancelledOrders
        batch.inFlight.isUnderWay = true
        if let suspect { batch.record.attemptsOver = [suspect] }
        batch.outcomes.reserveCapacity(entries.count)
        batch.record.records.reserveCapacity(entries.count)
        var places: [Int] = []
        places.reserveCapacity(operations.count)
        var changed: Set<Identifier> = []
        for (entry, plan) in zip(entries, plans) {
            switch plan {
            case .decide(let message, let digest):
                let answered = Answered(
                    answer: answers[places.count], digest: digest, decidedAt: decidedAt,
                    entryID: entry.entry.id)
                let (record, outcome) = try answered.result(message)
                batch.record.records.append(record)
                places.append(batch.outcomes.count)
                batch.add(outcome)
                if outcome.seq != nil {
                    message.forEachProduct { product in
                        if changed.insert(product).inserted { batch.changed.append(product) }
                    }
                }
            case .replayInBatch(let operation):
                batch.outcomes.append(batch.outcomes[places[operation]])
                batch.tally.replays += 1
            case .known(let outcome):
                batch.outcomes.append(outcome)
                batch.tally.replays += 1
            case .deadLetter(let record):
                batch.record.records.append(.deadLetter(record))
                batch.add(
                    Outcome(
                        kind: .deadLetter, ids: record.ids, reason: record.cause.reason.rawValue,
                        decidedAt: record.receivedAt))
            }
        }
        batch.inFlight.messages = messages
        batch.inFlight.outcomes = batch.outcomes
        batch.inFlight.places = places
        return batch
    }
}

extension DecidableMessage {
    /// Names the products it is about; one may be named more than once.
    fileprivate func forEachProduct(_ body: (Identifier) -> Void) {
        switch self {
        case .order(let order): for line in order.checkout.lines { body(line.productID) }
        case .cancellation(_, _, let givenBack): for units in givenBack { body(units.sku.productID) }
        case .adjustment(let adjustment): body(adjustment.sku.productID)
        }
    }
}

/// The gate's answer to one message, with what is recorded and announced of it.
private struct Answered {
    var answer: Decision
    var digest: [UInt8]
    var decidedAt: String
    var entryID: String

    func result(_ message: DecidableMessage) throws -> (RecordBatch.Record, Outcome) {
        switch (message, answer) {
        case (.order(let order), .accepted(let seq)): self.order(order, .accepted(seq: seq))
        case (.order(let order), .refused(let shortage)): self.order(order, .refused(shortage))
        case (.cancellation(let cancellation, let releases, let givenBack), .accepted(let seq)):
            self.cancellation(cancellation, releases, givenBack, seq: seq)
        case (.cancellation(let cancellation, let releases, let givenBack), .unchanged):
            self.cancellation(cancellation, releases, givenBack, seq: nil)
        case (.adjustment(let adjustment), .accepted(let seq)):
            (
                .adjustment(
                    AdjustmentRecord(
                        adjustment: adjustment, digest: digest, seq: seq, decidedAt: decidedAt, entryID: entryID)),
                Outcome(
                    kind: .adjusted, adjustmentID: adjustment.adjustmentID.text, seq: seq, units: adjustment.units,
                    decidedAt: decidedAt)
            )
        case (.order, .unchanged), (.cancellation, .refused), (.adjustment, _):
            throw CountersError.unexpectedReply(script: "gate", detail: "an answer of another operation's kind")
        }
    }

    private func order(_ order: Order, _ decision: Decision) -> (RecordBatch.Record, Outcome) {
        var outcome = Outcome(
            kind: .accepted, orderID: order.id.text, units: order.checkout.units, decidedAt: decidedAt)
        switch decision {
        case .accepted(let seq): outcome.seq = seq
        case .refused(let shortage): (outcome.kind, outcome.reason) = (.refused, shortage.reason.rawValue)
        case .unchanged: break
        }
        let record = OrderRecord(order: order, decision: decision, decidedAt: decidedAt, entryID: entryID)
        return (.order(record), outcome)
    }

    private func cancellation(
        _ cancellation: Cancellation, _ releases: [Release], _ givenBack: [SKUUnits], seq: Int64?
    ) -> (RecordBatch.Record, Outcome) {
        let record = CancellationRecord(
            cancellation: cancellation, releases: releases, digest: digest, seq: seq, decidedAt: decidedAt,
            entryID: entryID)
        let outcome = Outcome(
            kind: .cancelled, orderID: cancellation.orderID.text, cancellationID: cancellation.cancellationID.text,
            reason: Cancellation.notOwned(releases) > 0 ? Cancellation.notOwnedReason : "", seq: seq,
            units: givenBack.reduce(0) { $0 + $1.units }, decidedAt: decidedAt)
        return (.cancellation(record), outcome)
    }
}
