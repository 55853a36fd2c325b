import Domain
import Ledger

/// The lookup that plans a batch.
extension MemoryTables {
    func priorState(for lookup: BatchLookup) -> PriorState {
        var prior = PriorState()
        for key in lookup.keys { prior.decisions[key] = decision(key) }
        for letter in deadLetters where lookup.entryIDs.contains(letter.entryID) {
            let outcome = Outcome(
                kind: .deadLetter, ids: letter.ids, reason: letter.reason, decidedAt: letter.receivedAt)
            let key = EntryIdentity(entryID: letter.entryID, fingerprint: letter.fingerprint)
            prior.deadLetters[key] = RecordedOutcome(outcome: outcome, place: place(.deadLetter, key.journalKey))
        }
        for order in lookup.orders { prior.owned[order] = owned(by: order) }
        for order in lookup.paidOrders { prior.payments[order] = payments(of: order) }
        for counter in lookup.adjustedCounters { prior.balances[counter] = balances[counter] }
        return prior
    }

    /// Returns the ids that a row of the journal has besides its key.
    func ids(of entry: JournalEntry) -> MessageIDs {
        switch entry.kind {
        case .command: [.placeOrder: commands[entry.position]?.command.orderID]
        case .deadLetter: deadLetters.first { $0.number == entry.number }?.ids ?? [:]
        case .catalogue: [:]
        }
    }

    private func payments(of id: Identifier) -> [Payment]? {
        func kept(_ payment: Payment) -> Payment {
            Payment(orderID: id, intentID: payment.intentID, currency: payment.currency)
        }
        let due = refunds.filter { $0.deadLetter != nil && $0.orderID == id }.map { kept($0.payment) }
        let isDead = deadLetters.contains { $0.ids.order == id && checkouts.contains($0.number) }
        guard order(id) != nil || isDead else { return nil }
        return (order(id).map { [kept($0.checkout.payment)] } ?? []) + due
    }

    func outcomes(after position: Int64, through last: Int64, limit: Int) -> JournalOutcomes {
        let rows = journal.filter { $0.position > position && $0.position <= last }.prefix(limit)
        return JournalOutcomes(
            outcomes: rows.compactMap { $0.recordedOutcome(ids: ids(of: $0)) }, through: rows.last?.position ?? last)
    }

    /// - Precondition: the row is in the journal.
    private func place(_ kind: JournalKind, _ key: Identifier) -> EpochPosition {
        guard let entry = journal.first(where: { $0.kind == kind && $0.key == key }) else {
            preconditionFailure("no \(kind) \(key) in the journal")
        }
        return entry.place
    }

    func decision(_ key: Command.Key) -> PriorDecision? {
        guard let entry = journal.first(where: { $0.kind == .command(key.kind) && $0.key == key.id }),
            let outcome = entry.recordedOutcome(ids: ids(of: entry))
        else { return nil }
        return PriorDecision(digest: entry.digest, outcome: outcome)
    }
}
