/// A payment that must be refunded: that of a refused order, or of a checkout that became a dead letter.
package struct RefundDue: Sendable, Equatable {
    package var number: Int64
    /// `nil` if it could not be read; the row then belongs to a single dead letter.
    package var orderID: String?
    package var paymentIntentID: String?
    /// The amount still to be refunded, in minor units; `nil` if unknown.
    package var amount: Int64?
    /// The amount of this payment that was already refunded.
    package var refunded: Int64
    /// Whether the amount is the sum of the message's items, because the message has no total.
    package var isWorkedOut: Bool
    package var currency: String?
    /// The reason for the refusal or for the dead letter.
    package var reason: String
    /// `nil` if the order was refused.
    package var deadLetter: Int64?
    package var since: String
    /// Whether an operator must check that this is a second payment: its order id also has
    /// another payment, which is recorded or on this list.
    package var isToBeChecked: Bool
    /// Whether the refused order was cancelled later, so that its payment may already have been refunded.
    package var isCancelled: Bool

    package init(
        number: Int64, orderID: String?, paymentIntentID: String?, amount: Int64?, refunded: Int64 = 0,
        isWorkedOut: Bool,
        currency: String?, reason: String, deadLetter: Int64?, since: String, isToBeChecked: Bool,
        isCancelled: Bool
    ) {
        self.number = number
        self.orderID = orderID
        self.paymentIntentID = paymentIntentID
        self.amount = amount
        self.refunded = refunded
        self.isWorkedOut = isWorkedOut
        self.currency = currency
        self.reason = reason
        self.deadLetter = deadLetter
        self.since = since
        self.isToBeChecked = isToBeChecked
        self.isCancelled = isCancelled
    }
}
