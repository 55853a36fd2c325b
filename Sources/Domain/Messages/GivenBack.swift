/// The amount refunded of one payment so far.
package struct GivenBack: Sendable, Equatable {
    /// In minor units.
    package var amount: Int64
    /// Whether the payment was settled at some time: nothing was due for it.
    package var isSettled: Bool
    /// Whether the whole payment was refunded while its amount was unknown.
    package var isAll: Bool

    package static let nothing = GivenBack(amount: 0)

    /// The maximum counted: refunds of a payment of unknown amount may add up to anything, and are not counted beyond
    /// this.
    package static let highestAmount = Limit.exactInteger

    package init(amount: Int64, isSettled: Bool = false, isAll: Bool = false) {
        self.amount = amount
        self.isSettled = isSettled
        self.isAll = isAll
    }

    /// The part of a payment that is still to be refunded.
    package enum Rest: Sendable, Equatable {
        case nothing
        case payment(Payment)
        /// The payment was settled, and its amount is now unknown: nothing becomes due again.
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
