import Domain
import Ledger

extension MemoryTables {
    mutating func record(_ batch: JournalBatch) throws -> RecordResult {
        var copy = self
        let result = try copy.write(batch)
        if case .recorded = result { self = copy }
        return result
    }

    private mutating func write(_ batch: JournalBatch) throws -> RecordResult {
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { return .outdated(head) }
        var arbiter = loadedArbiter(for: batch)
        var placed: [OrderRow] = []
        var paid: [(number: Int64, record: NewDeadLetter, payment: Payment)] = []
        for record in batch.records {
            switch record {
            case .deadLetter(let letter):
                add(letter)
                if let payment = letter.payment { paid.append((Int64(deadLetters.count), letter, payment)) }
            case .command(let decided):
                let taken: [CancellationEffect.Line]
                do {
                    taken = try arbiter.confirm(decided)
                } catch .unknownCounter(let counter) {
                    throw MemoryLedgerError.unknownCounter(counter)
                } catch {
                    return .disagreed(error)
                }
                let remaining = arbiter.owned(by:)
                if let order = try add(decided, batch.epoch, taken, remaining) { placed.append(order) }
            }
        }
        let before = head
        for record in batch.records {
            let entry = entry(record, batch.epoch)
            if journal.contains(where: { $0.kind == entry.kind && $0.key == entry.key }) { return .outdated(before) }
            journal.append(entry)
            commands[entry.position] = record.command
        }
        head.position = Int64(journal.count)
        for order in placed { wake(lettersFor: order.checkout.orderID) }
        for order in paid.compactMap(\.payment.orderID) { wake(lettersFor: order, isDead: true) }
        for change in arbiter.changes { balances[change.counter] = change.balance }
        head.seq = arbiter.seq
        orders += placed
        settleRefunds(of: placed)
        for letter in paid { addRefund(of: letter.record, letter.number, letter.payment) }
        for key in batch.attemptsOver { attempts[key] = nil }
        endReplays(batch.replayed)
        return .recorded(position: head.position)
    }

    private func loadedArbiter(for batch: JournalBatch) -> Arbiter {
        var arbiter = Arbiter(seq: batch.seqBefore)
        for (counter, balance) in balances { arbiter.load(counter, balance) }
        for case .command(let decided) in batch.records {
            guard case .cancel(let cancellation) = decided.command, arbiter.owned(by: cancellation.orderID) == nil,
                let owned = owned(by: cancellation.orderID)
            else { continue }
            arbiter.load(order: cancellation.orderID, owns: owned)
        }
        return arbiter
    }

    /// - Returns: an order, which must be recorded after the batch's other rows.
    private mutating func add(
        _ decided: DecidedCommand, _ epoch: Int64, _ taken: [CancellationEffect.Line],
        _ remaining: (Identifier) -> [SKUUnits]?
    ) throws -> OrderRow? {
        switch decided.command {
        case .placeOrder(let order):
            return OrderRow(
                checkout: order.checkout, digest: order.digest,
                status: decided.decision.shortage == nil ? .accepted : .refused, decision: decided.decision,
                epoch: epoch, decidedAt: decided.decidedAt, entryID: decided.entryID)
        case .cancel(let cancellation):
            let movements = decided.planned.movements
            cancellations.append(
                CancellationRow(
                    cancellation: cancellation,
                    recorded: RecordedCancellation(
                        id: cancellation.cancellationID, cancelledAt: cancellation.cancelledAt,
                        restock: cancellation.restock, seq: decided.decision.seq,
                        units: cancellation.restocked(movements), notOwned: cancellation.notOwned(movements),
                        decidedAt: decided.decidedAt, entryID: decided.entryID,
                        items: taken.map {
                            .init(
                                sku: $0.sku, asked: $0.asked, released: $0.released,
                                givenBack: cancellation.restock ? $0.released : 0)
                        }),
                    epoch: epoch))
            if let place = orderPlace(cancellation.orderID), orders[place].status == .accepted,
                (remaining(cancellation.orderID) ?? []).allSatisfy({ $0.units == 0 })
            {
                orders[place].status = .cancelled
            }
        case .adjust(let adjustment):
            // The units of an adjustment are never 0.
            guard let seq = decided.decision.seq else { preconditionFailure("an adjustment that changes nothing") }
            adjustments.append(
                RecordedAdjustment(
                    adjustment: adjustment, seq: seq, epoch: epoch, decidedAt: decided.decidedAt,
                    entryID: decided.entryID))
        case .refund(let refund): giveBack(refund)
        }
        return nil
    }

    /// Returns the next row of the journal.
    private func entry(_ record: BatchRecord<DecidedCommand>, _ epoch: Int64) -> JournalEntry {
        let position = Int64(journal.count + 1)
        func number(_ kind: JournalKind) -> Int64 { Int64(journal.count { $0.kind == kind } + 1) }
        switch record {
        case .deadLetter(let letter):
            return JournalEntry(
                position: position, kind: .deadLetter, key: letter.key.journalKey, digest: letter.key.fingerprint,
                outcome: Outcome.Kind.deadLetter.rawValue, reason: letter.cause.reason.rawValue, epoch: epoch,
                decidedAt: letter.receivedAt, entryID: letter.key.entryID, number: number(.deadLetter))
        case .command(let decided):
            let (outcome, kind) = (Outcome(decided), JournalKind(decided.command.kind))
            return JournalEntry(
                position: position, kind: kind, key: decided.command.key.id, digest: decided.command.digest,
                outcome: outcome.kind.rawValue, reason: outcome.reason.isEmpty ? nil : outcome.reason,
                seq: outcome.seq, epoch: epoch, units: outcome.units, decidedAt: decided.decidedAt,
                entryID: decided.entryID, number: kind == .order ? number(.order) : nil, by: decided.command.by)
        }
    }

    private mutating func add(_ letter: NewDeadLetter) {
        if letter.payment != nil { checkouts.insert(Int64(deadLetters.count + 1)) }
        deadLetters.append(
            RecordedDeadLetter(
                number: Int64(deadLetters.count + 1), entryID: letter.key.entryID,
                reason: letter.cause.reason.rawValue, detail: letter.cause.detail, type: letter.type,
                payload: letter.payload, fields: letter.fields, bytes: letter.bytes, isWhole: letter.isWhole,
                payloadDigest: letter.payloadDigest, ids: letter.ids, receivedAt: letter.receivedAt, status: .open,
                resolvedAt: nil, fingerprint: letter.key.fingerprint))
    }

    /// Requests replays of the dead letters that arrived before their order. If the order is itself a dead letter, this
    /// applies only to refunds.
    private mutating func wake(lettersFor order: Identifier, isDead: Bool = false) {
        for place in deadLetters.indices
        where deadLetters[place].ids.order == order && deadLetters[place].isWhole
            && deadLetters[place].reason == DeadLetterReason.unknownOrder.rawValue && deadLetters[place].status == .open
            && (!isDead || deadLetters[place].ids[.refund] != nil)
        {
            deadLetters[place].status = .replay
        }
    }

    private mutating func endReplays(_ numbers: [Int64]) {
        for number in numbers {
            guard let place = deadLetters.firstIndex(where: { $0.number == number && $0.status == .replay }) else {
                continue
            }
            deadLetters[place].status = .replayed
            deadLetters[place].resolvedAt = Timestamp.now()
            // From now on another row, or an order, determines the refund.
            refunds.removeAll { $0.deadLetter == number && $0.orderID == nil }
        }
    }

    // MARK: - Refunds

    /// An accepted order removes all refunds that dead letters with its id have left; a refused order removes those of
    /// its own payment. The payment of a refused order is due.
    private mutating func settleRefunds(of placed: [OrderRow]) {
        for order in placed {
            let isAccepted = order.decision.seq != nil
            let intent = order.checkout.paymentIntentID ?? ""
            refunds.removeAll { refund in
                refund.awaitsOrder && refund.orderID == order.checkout.orderID
                    && (isAccepted || refund.intent == intent)
            }
        }
        for order in placed {
            let payment = order.checkout.payment
            guard let shortage = order.decision.shortage,
                case .payment(let rest) = givenBack(of: payment).rest(of: payment)
            else { continue }
            refunds.append(
                RefundRow(
                    number: nextRefund, order: order.checkout.orderID, deadLetter: nil,
                    orderID: order.checkout.orderID, payment: rest, refunded: givenBack(of: payment).amount,
                    reason: shortage.reason.rawValue, since: order.decidedAt))
        }
    }

    private func givenBack(of payment: Payment) -> GivenBack {
        guard let order = payment.orderID else { return .nothing }
        let digest = Payment.digest(order: order, intentID: payment.intentID)
        let shares = givenBack.filter { $0.payment == digest }
        let amount = shares.reduce(0) { min($0 + ($1.amount ?? 0), GivenBack.highestAmount) }
        return GivenBack(
            amount: amount, isSettled: shares.contains(where: \.isSettled), isAll: shares.contains { $0.amount == nil })
    }

    private mutating func giveBack(_ refund: Refund) {
        let due = refunds.filter { $0.orderID == refund.orderID }
            .map { DuePayment(number: $0.number, payment: $0.payment) }.sorted { $0.number < $1.number }
        for share in refund.shares(of: due, isKnown: isKnown(refund)) {
            givenBack.append(
                (Payment.digest(order: refund.orderID, intentID: share.intentID), share.amount, share.isAll))
            guard let place = refunds.firstIndex(where: { $0.number == share.number }) else { continue }
            if share.isAll {
                refunds.remove(at: place)
            } else if let amount = share.amount {
                refunds[place].payment.amount = refunds[place].payment.amount.map { $0 - amount }
                refunds[place].refunded = min(refunds[place].refunded + amount, GivenBack.highestAmount)
            }
        }
    }

    /// Returns whether the payment that a refund names is the recorded order's, or was refunded in part before.
    private func isKnown(_ refund: Refund) -> Bool {
        guard let intent = refund.paymentIntentID else { return false }
        let digest = Payment.digest(order: refund.orderID, intentID: intent)
        let order = order(refund.orderID)
        return order?.checkout.paymentIntentID == intent || order?.paymentDigest == digest
            || givenBack.contains { $0.payment == digest }
    }

    private var nextRefund: Int64 { (refunds.map(\.number).max() ?? 0) + 1 }

    /// Adds the refund of a dead letter. If several dead letters concern one payment, the latest counts, unless it
    /// lacks the amount.
    private mutating func addRefund(of letter: NewDeadLetter, _ number: Int64, _ payment: Payment) {
        let reason = letter.cause.reason.rawValue
        guard !payment.isFree, isOwed(payment, letter.cause.reason) else { return }
        let known = refunds.firstIndex {
            $0.deadLetter != nil && $0.orderID != nil && $0.orderID == payment.orderID
                && $0.intent == payment.intentID ?? ""
        }
        let before = givenBack(of: payment)
        switch (before.rest(of: payment), known) {
        case (.nothing, let known?): refunds.remove(at: known)
        case (.nothing, nil), (.unknown, nil): break
        case (.payment(let rest), nil):
            refunds.append(
                RefundRow(
                    number: nextRefund, order: nil, deadLetter: number, orderID: payment.orderID, payment: rest,
                    refunded: before.amount, reason: reason, since: letter.receivedAt))
        case (.payment(let rest), let known?):
            if rest.amount != nil {
                let intent = refunds[known].payment.intentID
                refunds[known].payment = rest
                refunds[known].payment.intentID = intent
            }
            (refunds[known].reason, refunds[known].deadLetter) = (reason, number)
        case (.unknown, let known?): (refunds[known].reason, refunds[known].deadLetter) = (reason, number)
        }
    }

    /// Returns whether a payment is owed: that of a recorded order is not owed a second time, but a second payment
    /// under its id may be.
    private func isOwed(_ payment: Payment, _ reason: DeadLetterReason) -> Bool {
        guard let id = payment.orderID, let order = order(id) else { return true }
        let isSame =
            if let digest = order.paymentDigest {
                digest == Payment.digest(order: id, intentID: payment.intentID)
            } else {
                order.checkout.paymentIntentID ?? "" == payment.intentID ?? ""
            }
        return !isSame && (order.decision.seq == nil || reason == .orderConflict)
    }
}
