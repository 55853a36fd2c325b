import Foundation
import GRDB
import Domain
import Ledger

/// Updates the refunds that are due, after all rows of a batch are inserted.
extension BatchWriter {
    /// A dead letter of a checkout, with its number.
    typealias PaidLetter = (number: Int64, record: NewDeadLetter, payment: Payment)

    func recordRefunds(_ orders: [PlacedOrder], _ letters: [PaidLetter]) throws {
        if awaitingRefunds > 0, !orders.isEmpty { try endRefunds(ofOrders: orders.count) }
        if refused == 0, letters.isEmpty { return }
        // Checked only now, because the batch itself may have recorded the first refund.
        let hasRefunds =
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM refund_lines)")) ?? false
        if refused > 0 { try insertRefunds(orders, hasRefunds) }
        for letter in letters { try insertRefund(letter, hasRefunds) }
    }

    /// Deletes the refunds that dead letters with the ids of the batch's orders had left: an accepted order ends all of
    /// them, a refused order those for its own payment. This costs a lookup per order or per such refund, whichever are
    /// fewer.
    private func endRefunds(ofOrders count: Int) throws {
        let ended = Self.refundsEnded(fewRefunds: awaitingRefunds < count)
        try db.cachedStatement(sql: "DELETE FROM refunds WHERE number IN (\(ended))")
            .execute(arguments: ["before": lastOrderNumber])
    }

    static func refundsEnded(fewRefunds: Bool) -> String {
        // CROSS fixes the join order. INDEXED BY avoids scanning the refunds of refused orders, which are many.
        let refunds = "refunds INDEXED BY refunds_awaiting_order"
        let join =
            fewRefunds
            ? """
            \(refunds) CROSS JOIN journal ON key = order_id
            CROSS JOIN order_details ON order_details.number = journal.number
            """
            : "order_details CROSS JOIN journal USING (position) CROSS JOIN \(refunds) ON order_id = key"
        return """
            SELECT refunds.number FROM \(join)
            WHERE kind = 'order' AND \(Schema.awaitsOrder("refunds")) AND order_details.number > :before AND (
                seq IS NOT NULL OR coalesce(stripe_payment_intent_id, '') = coalesce(payment_intent_id, '')
            )
            """
    }

    private static let insertRefunds = MultiRowStatement(
        inserting: [
            "order_number", "order_id", "payment_intent_id", "amount", "refunded", "is_worked_out",
            "currency", "reason", "since",
        ], into: "refunds")

    private func insertRefunds(_ orders: [PlacedOrder], _ hasRefunds: Bool) throws {
        typealias Due = (number: Int64, placed: PlacedOrder, reason: ShortageReason, payment: Payment, refunded: Int64)
        var due: [Due] = []
        for (index, placed) in orders.enumerated() {
            guard let shortage = placed.shortage else { continue }
            let payment = placed.order.checkout.payment
            let givenBack = hasRefunds ? try givenBack(of: payment) : .nothing
            guard case .payment(let rest) = givenBack.rest(of: payment) else { continue }
            due.append((number(ofOrder: index), placed, shortage.reason, rest, givenBack.amount))
        }
        try Self.insertRefunds.run(due, in: db, texts) { row, due in
            row.bind(due.number)
            row.bind(due.placed.order.id)
            row.bind(due.payment.intentID)
            row.bind(due.payment.amount)
            row.bind(due.refunded)
            row.bind(due.payment.isWorkedOut ? 1 : 0)
            row.bind(due.payment.currency)
            row.bind(due.reason.rawValue)
            row.bind(batch.records[due.placed.place].command?.decidedAt)
        }
    }

    /// Records the refund of a dead letter. If several dead letters concern one payment, the latest counts, unless it
    /// lacks the amount.
    private func insertRefund(_ letter: PaidLetter, _ hasRefunds: Bool) throws {
        guard !letter.payment.isFree, try isOwed(letter) else { return }
        let givenBack = hasRefunds ? try givenBack(of: letter.payment) : .nothing
        let reason = letter.record.cause.reason.rawValue
        switch givenBack.rest(of: letter.payment) {
        case .payment(let payment):
            try db.cachedStatement(
                sql: """
                    INSERT INTO refunds (
                        dead_letter_id, order_id, payment_intent_id, amount, refunded, is_worked_out, currency, reason,
                        since
                    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (order_id, coalesce(payment_intent_id, '')) WHERE \(Schema.isOfLetters) DO UPDATE
                    SET amount = coalesce(excluded.amount, amount),
                        is_worked_out = iif(excluded.amount IS NULL, is_worked_out, excluded.is_worked_out),
                        currency = iif(excluded.amount IS NULL, currency, excluded.currency),
                        reason = excluded.reason, dead_letter_id = excluded.dead_letter_id
                    """
            ).execute(arguments: [
                letter.number, payment.orderID?.text, payment.intentID, payment.amount, givenBack.amount,
                payment.isWorkedOut, payment.currency, reason, letter.record.receivedAt,
            ])
        case .unknown:
            try db.cachedStatement(sql: "UPDATE refunds SET reason = ?, dead_letter_id = ? WHERE \(Self.isOfPayment)")
                .execute(arguments: [reason, letter.number] + Self.arguments(of: letter.payment))
        case .nothing:
            try db.cachedStatement(sql: "DELETE FROM refunds WHERE \(Self.isOfPayment)")
                .execute(arguments: Self.arguments(of: letter.payment))
        }
    }

    /// The condition for the row that dead letters have left for one payment.
    private static let isOfPayment =
        "\(Schema.isOfLetters) AND order_id = ? AND coalesce(payment_intent_id, '') = ?"

    private static func arguments(of payment: Payment) -> StatementArguments {
        [payment.orderID?.text, payment.intentID ?? ""]
    }

    /// Returns what was refunded of a payment before it became due. It may become due again, for example when its dead
    /// letter is published again.
    private func givenBack(of payment: Payment) throws -> GivenBack {
        guard let order = payment.orderID else { return .nothing }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT CAST(min(total(lines.amount), \(GivenBack.highestAmount)) AS INTEGER),
                        coalesce(max(is_settled), 0), count(*) != count(lines.amount)
                    FROM refund_details JOIN refund_lines AS lines USING (position)
                    WHERE order_id = ? AND payment_digest = ?
                    """),
            arguments: [order.text, Data(Payment.digest(order: order, intentID: payment.intentID))])
        return try row.map { GivenBack(amount: try $0.value(0), isSettled: try $0.value(1), isAll: try $0.value(2)) }
            ?? .nothing
    }

    /// Subtracts a refund from the amounts that are due.
    func giveBack(_ refund: Refund, _ position: Int64) throws {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT number, payment_intent_id, amount, currency FROM refunds
                    WHERE number IN (\(Schema.refundNumbers(ofOrder: "?1"))) ORDER BY number
                    """), arguments: [refund.orderID.text])
        let due = try rows.map { row in
            DuePayment(
                number: try row.value(0),
                payment: try Payment(
                    orderID: refund.orderID, intentID: row.value(1), amount: row.value(2), currency: row.value(3)))
        }
        let shares = refund.shares(of: due, isKnown: try isKnown(refund))
        for (line, share) in shares.enumerated() {
            let digest = Payment.digest(order: refund.orderID, intentID: share.intentID)
            try db.cachedStatement(
                sql:
                    "INSERT INTO refund_lines (position, line, payment_digest, amount, is_settled) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [position, line + 1, Data(digest), share.amount, share.isAll])
            guard let number = share.number else { continue }
            if share.isAll {
                try db.cachedStatement(sql: "DELETE FROM refunds WHERE number = ?").execute(arguments: [number])
            } else {
                try db.cachedStatement(
                    sql: """
                        UPDATE refunds SET amount = amount - ?1, refunded = min(refunded + ?1, \(GivenBack.highestAmount))
                        WHERE number = ?2
                        """
                ).execute(arguments: [share.amount, number])
            }
        }
    }

    /// Returns whether the payment that a refund names is that of the recorded order, or was refunded before.
    private func isKnown(_ refund: Refund) throws -> Bool {
        guard let intent = refund.paymentIntentID else { return false }
        return try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM order_details WHERE number = \(Schema.orderNumber(ofID: "?1"))
                            AND (stripe_payment_intent_id = ?2 OR payment_digest = ?3)
                    ) OR EXISTS (
                        SELECT 1 FROM refund_details JOIN refund_lines USING (position)
                        WHERE order_id = ?1 AND payment_digest = ?3
                    )
                    """),
            arguments: [
                refund.orderID.text, intent, Data(Payment.digest(order: refund.orderID, intentID: intent)),
            ]) ?? false
    }

    /// Returns whether the payment of a dead letter must be refunded. The payment of a recorded order is not owed a
    /// second time. A second payment under the order's id may be, if it is known to be one (a conflict), or if the
    /// order was refused.
    private func isOwed(_ letter: PaidLetter) throws -> Bool {
        guard let id = letter.payment.orderID else { return true }
        let recorded = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT seq IS NULL AS is_refused, stripe_payment_intent_id, payment_digest
                    FROM journal JOIN order_details USING (number) WHERE key = ? AND kind = 'order'
                    """), arguments: [id.text])
        guard let recorded else { return true }
        // Only the digest is left of an erased order's payment.
        let erased = try recorded.optionalBytes(named: "payment_digest")
        let intent: String? = try recorded.value("stripe_payment_intent_id")
        let isSame =
            erased.map { $0 == Payment.digest(order: id, intentID: letter.payment.intentID) }
            ?? (intent ?? "" == letter.payment.intentID ?? "")
        return try !isSame && (recorded.value("is_refused") || letter.record.cause.reason == .orderConflict)
    }

    /// Deletes the refund of a dead letter without an order id that was published again: it has left another row, or an
    /// order, which determines the refund from now on.
    func endRefund(ofReplayed number: Int64) throws {
        try db.cachedStatement(sql: "DELETE FROM refunds WHERE dead_letter_id = ? AND order_id IS NULL")
            .execute(arguments: [number])
    }
}
