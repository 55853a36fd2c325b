/// A payment that must be given back: of a refused order, or of a checkout that became a dead letter.
package struct RefundDue: Sendable, Equatable {
    package var number: Int64
    /// nil: it could not be read; then the row belongs to one dead letter alone.
    package var orderID: String?
    package var paymentIntentID: String?
    /// What is still to be given back, in minor units; nil: unknown.
    package var amount: Int64?
    /// What was given back of this payment already.
    package var refunded: Int64
    /// Whether the amount is the sum of the message's items, as it has no total.
    package var isWorkedOut: Bool
    package var currency: String?
    /// The reason of the refusal or of the dead letter.
    package var reason: String
    /// nil: the order was refused.
    package var deadLetter: Int64?
    package var since: String
    /// Whether it must be checked that this is a second payment: its order id is recorded with another payment, or is
    /// on this list with one.
    package var isToBeChecked: Bool
    /// Whether the refused order was cancelled later: its money may have been given back.
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

/// Sums of the refunds that are due.
package struct RefundsDue: Sendable, Equatable {
    package struct Sum: Sendable, Equatable {
        /// Three letters, lower case; nil: all others, and those without a currency.
        package var currency: String?
        package var refunds: Int64
        /// Minor units, without unknown amounts; at most `Int64.max`.
        package var amount: Int64

        package init(currency: String?, refunds: Int64, amount: Int64) {
            self.currency = currency
            self.refunds = refunds
            self.amount = amount
        }
    }

    package var refunds: Int64
    package var unknownAmounts: Int64
    /// The sums of the most refunds first, at most `maximumSums`.
    package var sums: [Sum]

    package init(refunds: Int64 = 0, unknownAmounts: Int64 = 0, sums: [Sum] = []) {
        self.refunds = refunds
        self.unknownAmounts = unknownAmounts
        self.sums = sums
    }

    /// A shop has a few currencies; messages may name any three letters.
    package static let maximumSums = 20
}
