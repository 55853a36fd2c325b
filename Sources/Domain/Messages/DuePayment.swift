/// A payment of which an amount is due to the customer.
package struct DuePayment: Sendable, Equatable {
    /// The number of its row.
    package var number: Int64
    /// The payment; its amount is the part that is still due, or nil if that is unknown.
    package var payment: Payment

    package init(number: Int64, payment: Payment) {
        self.number = number
        self.payment = payment
    }
}
