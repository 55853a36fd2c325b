import Inventory
import Ledger

/// What a batch is planned by.
extension MemoryTables {
    func priorState(for lookup: BatchLookup) -> PriorState {
        var prior = PriorState()
        for key in lookup.keys { prior.decisions[key] = decision(key) }
        for letter in deadLetters where lookup.entryIDs.contains(letter.entryID) {
            let outcome = Outcome(
                kind: .deadLetter, orderID: letter.orderID ?? "", cancellationID: letter.cancellationID ?? "",
                adjustmentID: letter.adjustmentID ?? "", reason: letter.reason, decidedAt: letter.receivedAt)
            let key = EntryKey(entryID: letter.entryID, fingerprint: letter.fingerprint)
            prior.deadLetters[key] = RecordedOutcome(outcome: outcome, place: place(.deadLetter, key.journalKey))
        }
        for order in lookup.cancelledOrders { prior.owned[order] = owned(by: order) }
        for counter in lookup.adjustedCounters { prior.balances[counter] = balances[counter] }
        return prior
    }

    /// The ids that a row of the journal has beside its key.
    func ids(of entry: JournalEntry) -> MessageIDs {
        switch entry.kind {
        case .order, .adjustment, .catalogue: return MessageIDs()
        case .cancellation:
            return MessageIDs(order: cancellations.first { $0.recorded.id == entry.key }?.cancellation.orderID)
        case .deadLetter:
            guard let letter = deadLetters.first(where: { $0.number == entry.number }) else { return MessageIDs() }
            return MessageIDs(
                order: letter.orderID.map { Identifier($0) },
                cancellation: letter.cancellationID.map { Identifier($0) },
                adjustment: letter.adjustmentID.map { Identifier($0) })
        }
    }

    func outcomes(after position: Int64, through last: Int64, limit: Int) -> JournalOutcomes {
        let rows = journal.filter { $0.position > position && $0.position <= last }.prefix(limit)
        return JournalOutcomes(
            outcomes: rows.compactMap { $0.recordedOutcome(ids: ids(of: $0)) }, through: rows.last?.position ?? last)
    }

    /// - Precondition: it is in the journal.
    private func place(_ kind: JournalKind, _ key: Identifier) -> RecordPlace {
        guard let entry = journal.first(where: { $0.kind == kind && $0.key == key }) else {
            preconditionFailure("no \(kind) \(key) in the journal")
        }
        return RecordPlace(epoch: entry.epoch, position: entry.position)
    }

    func decision(_ key: Command.Key) -> PriorDecision? {
        outcome(key).map { digest, outcome in
            PriorDecision(
                digest: digest, outcome: RecordedOutcome(outcome: outcome, place: place(JournalKind(key.kind), key.id)))
        }
    }

    private func outcome(_ key: Command.Key) -> (digest: [UInt8], outcome: Outcome)? {
        switch key.kind {
        case .placeOrder:
            return order(key.id).map { order in
                var outcome = Outcome(of: key, ids: key.ids, seq: order.decision.seq, decidedAt: order.decidedAt)
                outcome.units = order.checkout.units
                outcome.reason = order.decision.shortage?.reason.rawValue ?? ""
                return (order.digest, outcome)
            }
        case .cancel:
            return cancellations.first { $0.recorded.id == key.id }.map { row in
                var outcome = Outcome(
                    of: key, ids: key.ids, seq: row.recorded.seq, decidedAt: row.recorded.decidedAt)
                outcome.orderID = row.cancellation.orderID.text
                outcome.units = row.recorded.units
                outcome.reason = Outcome.cancellationReason(notOwned: row.recorded.notOwned)
                return (row.cancellation.digest, outcome)
            }
        case .adjust:
            return adjustments.first { $0.adjustment.adjustmentID == key.id }.map { row in
                var outcome = Outcome(of: key, ids: key.ids, seq: row.seq, decidedAt: row.decidedAt)
                outcome.units = row.adjustment.units
                return (row.adjustment.digest, outcome)
            }
        }
    }
}
