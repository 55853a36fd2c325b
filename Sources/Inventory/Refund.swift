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
        package var due: DuePayment
        /// nil: all of it, and how much that is is not known.
        package var amount: Int64?
        /// Whether nothing is due any more.
        package var isAll: Bool
    }

    /// What it gives back of each payment that is due under its order's id.
    ///
    /// It is for the payment that it names; if that is not among them, for those whose payment intent is not known; if
    /// it names none, for all of them, in their order. Without an amount it gives back everything. With one, a payment
    /// of an unknown amount stays due: nobody knows whether that was all.
    package func shares(of due: [DuePayment]) -> [Share] {
        let inCurrency = due.filter { due in
            guard let currency, let paid = due.payment.currency else { return true }
            return paid.lowercased() == currency.lowercased()
        }
        let own = inCurrency.filter { isFor($0.payment) }
        let candidates =
            paymentIntentID == nil
            ? inCurrency : own.isEmpty ? inCurrency.filter { ($0.payment.intentID ?? "").isEmpty } : own
        guard var rest = amount else {
            return candidates.map { Share(due: $0, amount: $0.payment.amount, isAll: true) }
        }
        var shares: [Share] = []
        for due in candidates {
            guard let owed = due.payment.amount, rest > 0 else { continue }
            shares.append(Share(due: due, amount: min(rest, owed), isAll: rest >= owed))
            rest -= min(rest, owed)
        }
        if rest > 0, let unknown = candidates.first(where: { $0.payment.amount == nil }) {
            shares.append(Share(due: unknown, amount: rest, isAll: false))
        }
        return shares
    }
}

/// What was given back of one payment so far.
package struct GivenBack: Sendable, Equatable {
    package var amount: Int64
    /// Whether it was all of an amount that is not known.
    package var isAll: Bool

    package static let nothing = GivenBack(amount: 0, isAll: false)

    package init(amount: Int64, isAll: Bool) {
        self.amount = amount
        self.isAll = isAll
    }

    /// What is left to give back of a payment.
    package enum Rest: Sendable, Equatable {
        case nothing
        case payment(Payment)
        /// Something was given back, and the amount is not known: what is due already stays so, and nothing becomes due.
        case unknown
    }

    package func rest(of payment: Payment) -> Rest {
        if payment.isFree || isAll { return .nothing }
        guard let paid = payment.amount else { return amount > 0 ? .unknown : .payment(payment) }
        var rest = payment
        rest.amount = paid - min(paid, amount)
        return rest.amount == 0 ? .nothing : .payment(rest)
    }
}
