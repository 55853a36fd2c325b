/// Money that was given back to a customer, as an `order.refunded` message carries it. It moves no units: a payment that
/// is given back with its units comes with a cancellation, too.
package struct Refund: Sendable, Equatable {
    package let refundID: Identifier
    /// Of a recorded order, or of a checkout that became a dead letter.
    package let orderID: Identifier
    /// nil: of whichever payment is to be given back.
    package let paymentIntentID: String?
    /// Minor units, at least 1; nil: all that is due.
    package let amount: Int64?
    package let currency: String?
    /// As the message gives it; not interpreted.
    package let refundedAt: String?
    /// Who sent it, as the message gives it.
    package let by: String?
    /// 32 bytes (`contentDigest`).
    package let digest: [UInt8]

    package init(
        refundID: Identifier, orderID: Identifier, paymentIntentID: String? = nil, amount: Int64? = nil,
        currency: String? = nil, refundedAt: String? = nil, by: String? = nil
    ) {
        self.refundID = refundID
        self.orderID = orderID
        self.paymentIntentID = paymentIntentID
        self.amount = amount
        self.currency = currency
        self.refundedAt = refundedAt
        self.by = by
        digest = Self.contentDigest(
            order: orderID, intent: paymentIntentID, amount: amount, currency: currency?.lowercased())
    }

    /// Why it cannot be recorded, or nil.
    /// - Parameter payments: what was paid under the order's id.
    package func violation(given payments: [Payment]) -> InvalidMessage? {
        guard let currency else { return nil }
        let own = payments.filter { isFor($0) }
        let known = (own.isEmpty ? payments : own).map { $0.currency?.lowercased() }
        // Where one of them is unknown, it may be this one.
        if known.isEmpty || known.contains(nil) || known.contains(currency.lowercased()) { return nil }
        let paid = Set(known.compactMap(\.self)).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
        return InvalidMessage(
            .currencyMismatch, "currency: is \"\(currency)\", and order \"\(orderID)\" was paid in \(paid)")
    }

    /// Whether it names this payment.
    package func isFor(_ payment: Payment) -> Bool {
        paymentIntentID.map { $0 == payment.intentID } ?? false
    }

    /// Of the order, the payment intent, the amount and the currency. The ledger keeps it permanently.
    private static func contentDigest(
        order: Identifier, intent: String?, amount: Int64?, currency: String?
    ) -> [UInt8] {
        var content = DigestContent()
        content.append(order)
        content.append(amount ?? 0)
        for text in [intent, currency] {
            // Both follow the rules of ids, so that none is empty.
            if let text { content.append(Identifier(text)) } else { content.append(0) }
        }
        return content.digest
    }
}

/// A payment of which something is due.
package struct DuePayment: Sendable, Equatable {
    /// Of its row.
    package var number: Int64
    /// Its amount is what is still due; nil: it is not known.
    package var payment: Payment

    package init(number: Int64, payment: Payment) {
        self.number = number
        self.payment = payment
    }
}

extension Refund {
    /// What a refund gives back of one payment.
    package struct Share: Sendable, Equatable {
        /// The row of what is due; nil: nothing is due of it, or nothing any more.
        package var number: Int64?
        package var intentID: String?
        /// nil: all of it, and how much that is is not known.
        package var amount: Int64?
        /// Whether nothing is due of it any more.
        package var isAll: Bool
    }

    /// What it gives back of each payment under its order's id.
    ///
    /// It is for the payment that it names. If nothing is due of that, it is for those whose payment intent is not
    /// known, unless that payment is known to be another one. If it names none, it is for all of them, in their order;
    /// with an amount and no currency, for those in the currency of the first. Without an amount it gives back
    /// everything. With one, a payment of an unknown amount stays due: nobody knows whether that was all. What is more
    /// than is due is kept for its payment, too: that may become due later.
    /// - Parameter isKnown: whether the payment that it names is the recorded order's, or something was given back of it.
    package func shares(of due: [DuePayment], isKnown: Bool) -> [Share] {
        let candidates = candidates(among: due, isKnown: isKnown)
        guard var rest = amount else {
            let all = candidates.map {
                Share(number: $0.number, intentID: $0.payment.intentID, amount: $0.payment.amount, isAll: true)
            }
            guard all.isEmpty, let paymentIntentID else { return all }
            return [Share(intentID: paymentIntentID, amount: nil, isAll: true)]
        }
        var shares: [Share] = []
        for due in candidates {
            guard let owed = due.payment.amount, rest > 0 else { continue }
            shares.append(
                Share(
                    number: due.number, intentID: due.payment.intentID, amount: min(rest, owed), isAll: rest >= owed))
            rest -= min(rest, owed)
        }
        if rest == 0 { return shares }
        if let unknown = candidates.first(where: { $0.payment.amount == nil }) {
            shares.append(Share(number: unknown.number, intentID: unknown.payment.intentID, amount: rest, isAll: false))
        } else if let intentID = candidates.last?.payment.intentID ?? paymentIntentID {
            shares.append(Share(intentID: intentID, amount: rest, isAll: false))
        }
        return shares
    }

    private func candidates(among due: [DuePayment], isKnown: Bool) -> [DuePayment] {
        guard paymentIntentID != nil else {
            let first = due.first?.payment.currency
            return due.filter { isIn(currency ?? (amount == nil ? nil : first), $0.payment) }
        }
        let inCurrency = due.filter { isIn(currency, $0.payment) }
        let own = inCurrency.filter { isFor($0.payment) }
        if !own.isEmpty || isKnown { return own }
        return inCurrency.filter { ($0.payment.intentID ?? "").isEmpty }
    }

    /// Where one of them is not known, it may be the same.
    private func isIn(_ currency: String?, _ payment: Payment) -> Bool {
        guard let currency, let paid = payment.currency else { return true }
        return paid.lowercased() == currency.lowercased()
    }
}

/// What was given back of one payment so far.
package struct GivenBack: Sendable, Equatable {
    /// Minor units.
    package var amount: Int64
    /// Whether nothing of it was due any more at some time.
    package var isSettled: Bool
    /// Whether all of it was given back when its amount was not known.
    package var isAll: Bool

    package static let nothing = GivenBack(amount: 0)

    /// What is given back of a payment of an unknown amount may add up to anything; beyond this it is not counted.
    package static let highestAmount = Limit.exactInteger

    package init(amount: Int64, isSettled: Bool = false, isAll: Bool = false) {
        self.amount = amount
        self.isSettled = isSettled
        self.isAll = isAll
    }

    /// What is left to give back of a payment.
    package enum Rest: Sendable, Equatable {
        case nothing
        case payment(Payment)
        /// It was settled, and its amount is not known now: what is due stays so, and nothing becomes due.
        case unknown
    }

    package func rest(of payment: Payment) -> Rest {
        if payment.isFree || isAll { return .nothing }
        guard let paid = payment.amount else { return isSettled ? .unknown : .payment(payment) }
        var rest = payment
        rest.amount = paid - min(paid, amount)
        return rest.amount == 0 ? .nothing : .payment(rest)
    }
}
