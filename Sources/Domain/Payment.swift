/// What was paid according to a checkout, as far as it can be read.
package struct Payment: Sendable, Equatable {
    /// nil: it could not be read. The other fields are nil if they could not be read or the message does not have them.
    package var orderID: Identifier?
    package var intentID: String?
    /// Minor units of `currency`: the total, else the sum of the items.
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

    /// - Parameters:
    ///   - total: as the message gives it.
    ///   - items: the sum of the items; nil: unknown.
    package mutating func setAmount(total: Int64?, items: Int64?) {
        amount = total ?? items
        isWorkedOut = total == nil && items != nil
    }

    /// Whether nothing was paid, so that nothing can be due.
    package var isFree: Bool { amount.map { $0 <= 0 } ?? false }
}

/// Adds up unit price × quantity of an order's items.
package struct ItemsAmount: Sendable {
    /// Minor units; nil: beyond `Limit.exactInteger`, or an item could not be read.
    package private(set) var amount: Int64? = 0

    package init() {}

    /// - Parameters:
    ///   - unitPrice: nil, like `units`: it could not be read.
    package mutating func add(unitPrice: Int64?, units: Int64?) {
        guard let sum = amount, let unitPrice, let units else { return amount = nil }
        let (value, valueOverflows) = unitPrice.multipliedReportingOverflow(by: units)
        let (next, sumOverflows) = sum.addingReportingOverflow(value)
        amount = valueOverflows || sumOverflows || next > Limit.exactInteger ? nil : next
    }
}

extension Checkout {
    /// What was paid, according to the message.
    package var payment: Payment {
        var items = ItemsAmount()
        for line in lines { items.add(unitPrice: line.unitPrice, units: line.units) }
        // By the rule for ids, as for dead letters (`InvalidPayload`): one payment must not have two rows.
        func short(_ text: String?) -> String? { text.flatMap { Identifier.violation(in: $0) == nil ? $0 : nil } }
        var payment = Payment(orderID: orderID, intentID: short(paymentIntentID), currency: short(currency))
        payment.setAmount(total: total, items: items.amount)
        return payment
    }
}
