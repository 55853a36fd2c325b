/// Adds up unit price × quantity over the items of an order.
package struct ItemsAmount: Sendable {
    /// Minor units; nil if the sum exceeds `Limit.exactInteger` or an item could not be read.
    package private(set) var amount: Int64? = 0

    package init() {}

    /// Adds an item.
    /// - Parameters:
    ///   - unitPrice: nil if it could not be read, and likewise `units`.
    package mutating func add(unitPrice: Int64?, units: Int64?) {
        guard let sum = amount, let unitPrice, let units else { return amount = nil }
        let (value, valueOverflows) = unitPrice.multipliedReportingOverflow(by: units)
        let (next, sumOverflows) = sum.addingReportingOverflow(value)
        amount = valueOverflows || sumOverflows || next > Limit.exactInteger ? nil : next
    }
}
