import Inventory
import Ledger

extension MemoryTables {
    mutating func record(_ batch: RecordBatch) throws -> RecordAnswer {
        var copy = self
        let answer = try copy.write(batch)
        if case .recorded = answer { self = copy }
        return answer
    }

    private mutating func write(_ batch: RecordBatch) throws -> RecordAnswer {
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { return .outdated(head) }
        var arbiter = loadedArbiter(for: batch)
        var placed: [OrderRow] = []
        var paid: [(number: Int64, record: DeadLetterRecord, payment: Payment)] = []
        for record in batch.records {
            switch record {
            case .deadLetter(let letter):
                guard add(letter) else { continue }
                if let payment = letter.payment { paid.append((Int64(deadLetters.count), letter, payment)) }
            case .command(let decided):
                let taken: [Takeback.Line]
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
            head.records += 1
        }
        for change in arbiter.changes { balances[change.counter] = change.balance }
        head.seq = arbiter.seq
        for order in placed {
            let id = order.checkout.orderID
            if orderPlace(id) != nil { throw MemoryLedgerError.recordedTwice("order \(id)") }
            orders.append(order)
        }
        settleRefunds(of: placed)
        for letter in paid { addRefund(of: letter.record, letter.number, letter.payment) }
        for key in batch.attemptsOver { attempts[key] = nil }
        endReplays(batch.replayed)
        return .recorded(records: head.records)
    }

    private func loadedArbiter(for batch: RecordBatch) -> Arbiter {
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

    /// - Returns: an order, which is recorded behind the batch's other rows.
    private mutating func add(
        _ decided: DecidedCommand, _ epoch: Int64, _ taken: [Takeback.Line],
        _ remaining: (Identifier) -> [SKUUnits]?
    ) throws -> OrderRow? {
        switch decided.command {
        case .placeOrder(let order):
            wake(lettersFor: order.id)
            return OrderRow(
                checkout: order.checkout, digest: order.digest,
                status: decided.decision.shortage == nil ? .accepted : .refused, decision: decided.decision,
                epoch: epoch, decidedAt: decided.decidedAt, entryID: decided.entryID)
        case .cancel(let cancellation):
            guard !cancellations.contains(where: { $0.recorded.id == cancellation.cancellationID }) else {
                throw MemoryLedgerError.recordedTwice("cancellation \(cancellation.cancellationID)")
            }
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
            guard !adjustments.contains(where: { $0.adjustment.adjustmentID == adjustment.adjustmentID }) else {
                throw MemoryLedgerError.recordedTwice("adjustment \(adjustment.adjustmentID)")
            }
            // Its units are not 0.
            guard let seq = decided.decision.seq else { preconditionFailure("an adjustment without a change") }
            adjustments.append(
                RecordedAdjustment(
                    adjustment: adjustment, seq: seq, epoch: epoch, decidedAt: decided.decidedAt,
                    entryID: decided.entryID))
        }
        return nil
    }

    /// - Returns: false: it was there already.
    private mutating func add(_ letter: DeadLetterRecord) -> Bool {
        let isKnown = deadLetters.contains {
            $0.entryID == letter.key.entryID && $0.fingerprint == letter.key.fingerprint
        }
        if isKnown { return false }
        deadLetters.append(
            RecordedDeadLetter(
                number: Int64(deadLetters.count + 1), entryID: letter.key.entryID,
                reason: letter.cause.reason.rawValue, detail: letter.cause.detail, type: letter.type,
                payload: letter.payload, fields: letter.fields, bytes: letter.bytes, isWhole: letter.isWhole,
                payloadDigest: letter.payloadDigest, orderID: letter.ids.order?.text,
                cancellationID: letter.ids.cancellation?.text, adjustmentID: letter.ids.adjustment?.text,
                receivedAt: letter.receivedAt, status: .open, resolvedAt: nil, fingerprint: letter.key.fingerprint))
        return true
    }

    /// The cancellations that came before their order can be processed now.
    private mutating func wake(lettersFor order: Identifier) {
        for place in deadLetters.indices
        where deadLetters[place].orderID.map({ Identifier($0) }) == order && deadLetters[place].isWhole
            && deadLetters[place].reason == DeadLetterReason.unknownOrder.rawValue && deadLetters[place].status == .open
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
            // Another row, or an order, determines the refund from now on.
            refunds.removeAll { $0.deadLetter == number && $0.orderID == nil }
        }
    }

    // MARK: - Refunds

    /// An accepted order ends all refunds that dead letters with its id have left, a refused one those for its own
    /// payment; what was paid for a refused one is due.
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
            guard let shortage = order.decision.shortage, !payment.isFree else { continue }
            refunds.append(
                RefundRow(
                    number: nextRefund, order: order.checkout.orderID, deadLetter: nil,
                    orderID: order.checkout.orderID, payment: payment, reason: shortage.reason.rawValue,
                    since: order.decidedAt))
        }
    }

    private var nextRefund: Int64 { (refunds.map(\.number).max() ?? 0) + 1 }

    /// Of several dead letters about one payment the latest counts, unless it lacks the amount.
    private mutating func addRefund(of letter: DeadLetterRecord, _ number: Int64, _ payment: Payment) {
        let reason = letter.cause.reason.rawValue
        guard !payment.isFree, isOwed(payment, letter.cause.reason) else { return }
        let known = refunds.firstIndex {
            $0.deadLetter != nil && $0.orderID != nil && $0.orderID == payment.orderID
                && $0.intent == payment.intentID ?? ""
        }
        guard let known else {
            return refunds.append(
                RefundRow(
                    number: nextRefund, order: nil, deadLetter: number, orderID: payment.orderID, payment: payment,
                    reason: reason, since: letter.receivedAt))
        }
        if payment.amount != nil {
            let intent = refunds[known].payment.intentID
            refunds[known].payment = payment
            refunds[known].payment.intentID = intent
        }
        refunds[known].reason = reason
        refunds[known].deadLetter = number
    }

    /// The payment of a recorded order is not owed a second time; a second payment under its id may be.
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
