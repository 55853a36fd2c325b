/// A paid order, from a `checkout.completed` message. Amounts are in minor units of `currency`.
///
/// Values that are processed have properties. Texts that are only recorded are packed (`texts`); `Checkout+texts.swift`
/// gives access to them by name.
package struct Checkout: Sendable, Equatable {
    /// The values of an item that are processed.
    package struct Line: Sendable, Equatable {
        package var productID: Identifier
        package var variantID: Identifier?
        /// In 1 … `Limit.units`.
        package var units: Int64
        /// In 0 … 2^53 − 1.
        package var unitPrice: Int64
        package var sku: SKU { SKU(productID, variantID) }

        package init(productID: Identifier, variantID: Identifier?, units: Int64, unitPrice: Int64) {
            self.productID = productID
            self.variantID = variantID
            self.units = units
            self.unitPrice = unitPrice
        }
    }

    package var orderID: Identifier
    package var subtotal: Int64?
    package var tax: Int64?
    package var shipping: Int64?
    package var total: Int64?
    /// The sender's name, as the message gives it.
    package var by: String?
    /// From 1 to `Limit.items` lines, in the message's order.
    package var lines: [Line]
    /// The texts, numbered by `Text.rawValue` and `LineText.number(in:)`.
    package var texts: TextSlices

    package init(orderID: Identifier, lines: [Line], texts: TextSlices) {
        self.orderID = orderID
        self.lines = lines
        self.texts = texts
    }

    /// The sum of the units of all lines.
    package var units: Int64 {
        // At most 2,000 lines of 1,000,000 units: far from overflow.
        lines.reduce(0) { $0 + $1.units }
    }
}
