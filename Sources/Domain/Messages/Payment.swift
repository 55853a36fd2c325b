/// The payment that a checkout describes, as far as it can be read.
package struct Payment: Sendable, Equatable {
    /// nil if the id could not be read. The other fields are nil if they could not be read or the message does not have
    /// them.
    package var orderID: Identifier?
    package var intentID: String?
    /// Minor units of `currency`: the message's total or, without one, the sum of the items.
    package var amount: Int64?
    /// Whether the amount is the sum of the items.
    package var isWorkedOut = false
    package var currency: String?

    package init(
        orderID: Identifier? = nil, intentID: String? = nil, amount: Int64? = nil, isWorkedOut: Bool = false,
        currency: String? = nil
    ) {
        self.orderID = orderID
        self.intentID = intentID
        self.amount = amount
        self.isWorkedOut = isWorkedOut
        self.currency = currency
    }

    /// Sets the amount to the message's total or, without one, to the sum of the items.
    /// - Parameters:
    ///   - total: the total that the message gives.
    ///   - items: the sum of the items, or nil if it is unknown.
    package mutating func setAmount(total: Int64?, items: Int64?) {
        amount = total ?? items
        isWorkedOut = total == nil && items != nil
    }

    /// Whether nothing was paid, so that nothing can be due.
    package var isFree: Bool { amount.map { $0 <= 0 } ?? false }
}

extension Checkout {
    /// The payment that the message describes.
    package var payment: Payment {
        var items = ItemsAmount()
        for line in lines { items.add(unitPrice: line.unitPrice, units: line.units) }
        // The same limit as for ids, and for dead letters (`InvalidPayload`): one payment must not have two rows.
        func short(_ text: String?) -> String? { text.flatMap { Identifier.violation(in: $0) == nil ? $0 : nil } }
        var payment = Payment(orderID: orderID, intentID: short(paymentIntentID), currency: short(currency))
        payment.setAmount(total: total, items: items.amount)
        return payment
    }
}
