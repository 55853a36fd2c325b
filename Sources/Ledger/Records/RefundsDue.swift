/// The sums of the refunds that are due.
package struct RefundsDue: Sendable, Equatable {
    package struct Sum: Sendable, Equatable {
        /// Three lower-case letters; `nil` for all other currencies and for refunds without one.
        package var currency: String?
        package var refunds: Int64
        /// In minor units, excluding unknown amounts; at most `Int64.max`.
        package var amount: Int64

        package init(currency: String?, refunds: Int64, amount: Int64) {
            self.currency = currency
            self.refunds = refunds
            self.amount = amount
        }
    }

    package var refunds: Int64
    package var unknownAmounts: Int64
    /// At most `maximumSums`, with the most refunds first.
    package var sums: [Sum]

    package init(refunds: Int64 = 0, unknownAmounts: Int64 = 0, sums: [Sum] = []) {
        self.refunds = refunds
        self.unknownAmounts = unknownAmounts
        self.sums = sums
    }

    /// A shop has few currencies, but messages may name any three letters.
    package static let maximumSums = 20
}
