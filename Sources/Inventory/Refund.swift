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
