import Counters
import Inventory
import Ledger

extension PreparedBatch {
    /// Puts the gate's answers to the entries they belong to.
    /// - Parameters:
    ///   - answers: one an operation, in their order.
    ///   - seqBefore: the counters' seq before the call.
    func decided(
        number: Int, answers: [OperationAnswer], epoch: Int64, seqBefore: Int64, seqAfter: Int64
    ) throws -> DecidedBatch {
        let decidedAt = Timestamp.now()
        var batch = DecidedBatch(
            number: number, entries: entries,
            record: RecordBatch(epoch: epoch, catalogueVersion: catalogueVersion, seqBefore: seqBefore),
            outcomes: [], changed: [], orders: [:], seqAfter: seqAfter)
        if let suspect { batch.record.attemptsOver = [suspect] }
        batch.outcomes.reserveCapacity(entries.count)
        var operationOutcomes: [Outcome] = []
        var changed: Set<Identifier> = []
        for (entry, plan) in zip(entries, plans) {
            switch plan {
            case .decide(let checkout, let demand, let digest):
                let decision = try Self.decision(answers[operationOutcomes.count])
                batch.record.records.append(
                    .order(
                        OrderRecord(
                            checkout: checkout, demand: demand, digest: digest, decision: decision,
                            decidedAt: decidedAt, entryID: entry.id)))
                let outcome = Self.outcome(checkout, decision, decidedAt: decidedAt)
                operationOutcomes.append(outcome)
                batch.outcomes.append(outcome)
                batch.orders[checkout.orderID] = KnownOrder(digest: digest, outcome: outcome)
                if case .accepted = decision {
                    for item in checkout.items where changed.insert(item.productID).inserted {
                        batch.changed.append(item.productID)
                    }
                }
            case .replayInBatch(let operation):
                batch.outcomes.append(operationOutcomes[operation])
            case .known(let outcome):
                batch.outcomes.append(outcome)
            case .deadLetter(let record):
                batch.record.records.append(.deadLetter(record))
                batch.outcomes.append(
                    Outcome(
                        kind: .deadLetter, orderID: record.orderID?.text ?? "",
                        reason: record.rejection.reason.rawValue,
                        decidedAt: record.receivedAt))
            }
        }
        return batch
    }

    private static func decision(_ answer: OperationAnswer) throws -> Decision {
        switch answer {
        case .changed(let seq): .accepted(seq: seq)
        case .refused(let refusal): .refused(refusal)
        case .unchanged:
            throw CountersError.unexpectedReply(script: "gate", detail: "an order was taken without a change")
        }
    }

    private static func outcome(_ checkout: Checkout, _ decision: Decision, decidedAt: String) -> Outcome {
        switch decision {
        case .accepted(let seq):
            Outcome(
                kind: .accepted, orderID: checkout.orderID.text, seq: seq, units: checkout.units, decidedAt: decidedAt)
        case .refused(let refusal):
            Outcome(
                kind: .refused, orderID: checkout.orderID.text, reason: refusal.reason.rawValue, units: checkout.units,
                decidedAt: decidedAt)
        }
    }
}
