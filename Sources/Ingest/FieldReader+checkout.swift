import Domain
import StrictJSON

/// Amounts may be negative (a discount), but must be exact everywhere.
private let amounts = -Limit.exactInteger...Limit.exactInteger

extension FieldReader {
    /// Reads the payload of a `checkout.completed` message.
    ///
    /// Decodes the bytes directly into a `Checkout`: it builds no tree and copies only what is kept. Unknown fields are
    /// skipped; null means absent.
    mutating func checkout() throws(InvalidMessage) -> Checkout {
        try enterPayload()
        var orderID: Identifier?
        var lines: [Checkout.Line]?
        var texts = packedTexts(capacity: Checkout.LineText.variantName.number(in: 0) + 1)
        // The fields are set below; the placeholders of required fields never leave this function.
        var checkout = Checkout(orderID: "", lines: [], texts: TextSlices(capacity: 0))
        while let key = try nextKey() {
            switch key {
            case "order_id": orderID = try identifier(FieldPath(.payload, "order_id"))
            case "payment_intent_id":
                try text(FieldPath(.payload, "payment_intent_id"), into: &texts, .paymentIntentID)
            case "completed_at": try text(FieldPath(.payload, "completed_at"), into: &texts, .completedAt)
            case "customer": try customer(into: &texts)
            case "currency": try text(FieldPath(.payload, "currency"), into: &texts, .currency)
            case "subtotal": checkout.subtotal = try amount("subtotal")
            case "tax": checkout.tax = try amount("tax")
            case "shipping": checkout.shipping = try amount("shipping")
            case "total": checkout.total = try amount("total")
            case "items": lines = try self.lines(&texts)
            case "shipping_address": try address(into: &texts)
            case "by": checkout.by = try sender()
            default: try skip()
            }
        }
        guard let orderID else { throw Self.missing(FieldPath(.payload, "order_id")) }
        guard let lines else { throw Self.missing(FieldPath(.payload, "items")) }
        checkout.orderID = orderID
        checkout.lines = lines
        checkout.texts = texts
        return checkout
    }

    private mutating func text(
        _ path: FieldPath, into texts: inout TextSlices, _ text: Checkout.Text
    ) throws(InvalidMessage) {
        try self.text(path, into: &texts, text.rawValue)
    }

    private mutating func amount(_ field: StaticString) throws(InvalidMessage) -> Int64? {
        try integer(FieldPath(.payload, field), in: amounts)
    }

    private mutating func lines(_ texts: inout TextSlices) throws(InvalidMessage) -> [Checkout.Line]? {
        var value: Int64 = 0
        let lines = try array("items", limit: Limit.items) { fields, number throws(InvalidMessage) in
            let line = try fields.line(number, &texts)
            value = try Self.adding(line, number, to: value)
            return line
        }
        if lines?.isEmpty == true { throw InvalidMessage(.invalidValue, "items: is empty") }
        return lines
    }

    private mutating func line(_ number: Int, _ texts: inout TextSlices) throws(InvalidMessage) -> Checkout.Line {
        guard try enterObject("items[\(number)]") else {
            throw InvalidMessage(.wrongType, "items[\(number)]: must be an object, is null")
        }
        var productID: Identifier?
        var variantID: Identifier?
        var units: Int64?
        var unitPrice: Int64?
        while let key = try nextKey() {
            switch key {
            case "product_id": productID = try identifier(FieldPath(.item(number), "product_id"))
            case "variant_id": variantID = try identifier(FieldPath(.item(number), "variant_id"))
            case "quantity":
                units = try integer(FieldPath(.item(number), "quantity"), in: 1...Limit.units)
            case "unit_price":
                unitPrice = try integer(FieldPath(.item(number), "unit_price"), in: 0...Limit.exactInteger)
            case "stripe_product_id":
                let place = Checkout.LineText.stripeProductID.number(in: number)
                try text(FieldPath(.item(number), "stripe_product_id"), into: &texts, place)
            case "product_name":
                let place = Checkout.LineText.productName.number(in: number)
                try text(FieldPath(.item(number), "product_name"), into: &texts, place)
            case "variant_name":
                let place = Checkout.LineText.variantName.number(in: number)
                try text(FieldPath(.item(number), "variant_name"), into: &texts, place)
            default: try skip()
            }
        }
        guard let productID else { throw Self.missing(FieldPath(.item(number), "product_id")) }
        guard let units else { throw Self.missing(FieldPath(.item(number), "quantity")) }
        guard let unitPrice else { throw Self.missing(FieldPath(.item(number), "unit_price")) }
        return Checkout.Line(productID: productID, variantID: variantID, units: units, unitPrice: unitPrice)
    }

    private mutating func customer(into texts: inout TextSlices) throws(InvalidMessage) {
        guard try enterObject("customer") else { return }
        while let key = try nextKey() {
            switch key {
            case "id": try text(FieldPath(.object("customer"), "id"), into: &texts, .customerID)
            case "email": try text(FieldPath(.object("customer"), "email"), into: &texts, .customerEmail)
            case "name": try text(FieldPath(.object("customer"), "name"), into: &texts, .customerName)
            default: try skip()
            }
        }
    }

    private mutating func address(into texts: inout TextSlices) throws(InvalidMessage) {
        let name: StaticString = "shipping_address"
        guard try enterObject("\(name)") else { return }
        while let key = try nextKey() {
            switch key {
            case "name": try text(FieldPath(.object(name), "name"), into: &texts, .shippingName)
            case "line1": try text(FieldPath(.object(name), "line1"), into: &texts, .shippingLine1)
            case "line2": try text(FieldPath(.object(name), "line2"), into: &texts, .shippingLine2)
            case "city": try text(FieldPath(.object(name), "city"), into: &texts, .shippingCity)
            case "state": try text(FieldPath(.object(name), "state"), into: &texts, .shippingState)
            case "postal_code": try text(FieldPath(.object(name), "postal_code"), into: &texts, .shippingPostalCode)
            case "country": try text(FieldPath(.object(name), "country"), into: &texts, .shippingCountry)
            default: try skip()
            }
        }
    }

    /// Returns the total value of the lines so far. 2^53 − 1 times 1,000,000 exceeds `Int64`, so every step is checked.
    private static func adding(_ line: Checkout.Line, _ number: Int, to value: Int64) throws(InvalidMessage) -> Int64 {
        let (product, productOverflows) = line.unitPrice.multipliedReportingOverflow(by: line.units)
        let (sum, sumOverflows) = value.addingReportingOverflow(product)
        guard !productOverflows, !sumOverflows, sum <= Limit.exactInteger else {
            throw InvalidMessage(
                .invalidValue,
                "items[\(number)]: unit_price × quantity, summed up to this line, exceeds \(Limit.exactInteger)")
        }
        return sum
    }

    static func missing(_ path: FieldPath) -> InvalidMessage {
        InvalidMessage(.missingField, "\(path): missing")
    }
}
