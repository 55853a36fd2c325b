/// Money returned to a customer, from an `order.refunded` message. A refund moves no units: if units are returned as
/// well, a cancellation is sent, too.
package struct Refund: Sendable, Equatable {
    package let refundID: Identifier
    /// The id of a recorded order, or of a checkout that became a dead letter.
    package let orderID: Identifier
    /// The payment that is refunded; nil means any payment that is due.
    package let paymentIntentID: String?
    /// Minor units, at least 1; nil means everything that is due.
    package let amount: Int64?
    package let currency: String?
    /// The time as the message gives it; not interpreted.
    package let refundedAt: String?
    /// The sender's name, as the message gives it.
    package let by: String?
    /// The digest of the content, 32 bytes (`contentDigest`).
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

    /// Returns why the refund cannot be recorded, or nil.
    /// - Parameter payments: the payments made under the order's id.
    package func violation(given payments: [Payment]) -> InvalidMessage? {
        guard let currency else { return nil }
        let own = payments.filter { isFor($0) }
        let known = (own.isEmpty ? payments : own).map { $0.currency?.lowercased() }
        // A payment in an unknown currency may be in this one.
        if known.isEmpty || known.contains(nil) || known.contains(currency.lowercased()) { return nil }
        let paid = Set(known.compactMap(\.self)).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
        return InvalidMessage(
            .currencyMismatch, "currency: is \"\(currency)\", and order \"\(orderID)\" was paid in \(paid)")
    }

    /// Returns whether the refund names this payment.
    package func isFor(_ payment: Payment) -> Bool {
        paymentIntentID.map { $0 == payment.intentID } ?? false
    }

    /// Digests the order, the payment intent, the amount and the currency. The ledger keeps the digest permanently.
    private static func contentDigest(
        order: Identifier, intent: String?, amount: Int64?, currency: String?
    ) -> [UInt8] {
        var content = DigestContent()
        content.append(order)
        content.append(amount ?? 0)
        for text in [intent, currency] {
            // Both follow the rules for ids, so neither is empty.
            if let text { content.append(Identifier(text)) } else { content.append(0) }
        }
        return content.digest
    }
}

extension Refund {
    /// The part of a refund that goes to one payment.
    package struct Share: Sendable, Equatable {
        /// The row of the due payment; nil if nothing is due for it, or no longer due.
        package var number: Int64?
        package var intentID: String?
        /// Minor units; nil means the whole payment, whose amount is unknown.
        package var amount: Int64?
        /// Whether nothing remains due for the payment.
        package var isAll: Bool
    }

    /// Divides the refund among the payments under its order's id.
    ///
    /// A refund applies to the payment that it names. If nothing is due for that payment, it applies to the payments
    /// whose payment intent is unknown, unless the named payment is known to be a different one. If it names no
    /// payment, it applies to all of them in their order; with an amount and no currency, to those in the currency of
    /// the first. Without an amount it refunds everything. With an amount, a payment of an unknown amount stays due,
    /// because the refund may not have covered it. An excess over the due amount is also kept for its payment, which
    /// may become due later.
    /// - Parameter isKnown: whether the named payment is the recorded order's, or has already been refunded in part.
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

    /// Compares currencies; an unknown one counts as equal, because it may be.
    private func isIn(_ currency: String?, _ payment: Payment) -> Bool {
        guard let currency, let paid = payment.currency else { return true }
        return paid.lowercased() == currency.lowercased()
    }
}
