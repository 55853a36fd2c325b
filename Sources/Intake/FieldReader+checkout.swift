import Inventory
import StrictJSON

/// Amounts may be negative (a discount), but stay exact everywhere.
private let amounts = -Limit.exactInteger...Limit.exactInteger

extension FieldReader {
    /// The payload of a `checkout.completed` message.
    ///
    /// Straight from the bytes into a `Checkout`: no tree is built, and only what is kept is copied. Unknown fields are
    /// skipped, null means absent.
    mutating func checkout() throws(Rejection) -> Checkout {
        try enterPayload()
        var orderID: Identifier?
        var items: [Checkout.Item]?
        // Filled in below; the placeholders of the two required fields never leave this function.
        var checkout = Checkout(orderID: "", items: [])
        while let key = try nextKey() {
            switch key {
            case "order_id": orderID = try identifier(FieldPath(.payload, "order_id"))
            case "payment_intent_id":
                checkout.paymentIntentID = try text(FieldPath(.payload, "payment_intent_id"))
            case "completed_at": checkout.completedAt = try text(FieldPath(.payload, "completed_at"))
            case "customer": checkout.customer = try customer()
            case "currency": checkout.currency = try text(FieldPath(.payload, "currency"))
            case "subtotal": checkout.subtotal = try amount("subtotal")
            case "tax": checkout.tax = try amount("tax")
            case "shipping": checkout.shipping = try amount("shipping")
            case "total": checkout.total = try amount("total")
            case "items": items = try self.items()
            case "shipping_address": checkout.shippingAddress = try address()
            default: try skip()
            }
        }
        guard let orderID else { throw Self.missing(FieldPath(.payload, "order_id")) }
        guard let items else { throw Self.missing(FieldPath(.payload, "items")) }
        checkout.orderID = orderID
        checkout.items = items
        return checkout
    }

    private mutating func amount(_ field: StaticString) throws(Rejection) -> Int64? {
        try integer(FieldPath(.payload, field), in: amounts)
    }

    private mutating func items() throws(Rejection) -> [Checkout.Item]? {
        var value: Int64 = 0
        let items = try array("items", limit: Limit.items) { fields, line throws(Rejection) in
            let item = try fields.item(line)
            value = try Self.adding(item, line: line, to: value)
            return item
        }
        if items?.isEmpty == true { throw Rejection(.invalidValue, "items: is empty") }
        return items
    }

    private mutating func item(_ line: Int) throws(Rejection) -> Checkout.Item {
        guard try enterObject("items[\(line)]") else {
            throw Rejection(.wrongType, "items[\(line)]: must be an object, is null")
        }
        var productID: Identifier?
        var quantity: Int64?
        var unitPrice: Int64?
        var item = Checkout.Item(productID: "", quantity: 0, unitPrice: 0)
        while let key = try nextKey() {
            switch key {
            case "product_id": productID = try identifier(FieldPath(.item(line), "product_id"))
            case "variant_id": item.variantID = try identifier(FieldPath(.item(line), "variant_id"))
            case "quantity":
                quantity = try integer(FieldPath(.item(line), "quantity"), in: 1...Limit.quantity)
            case "unit_price":
                unitPrice = try integer(FieldPath(.item(line), "unit_price"), in: 0...Limit.exactInteger)
            case "stripe_product_id":
                item.stripeProductID = try text(FieldPath(.item(line), "stripe_product_id"))
            case "product_name": item.productName = try text(FieldPath(.item(line), "product_name"))
            case "variant_name": item.variantName = try text(FieldPath(.item(line), "variant_name"))
            default: try skip()
            }
        }
        guard let productID else { throw Self.missing(FieldPath(.item(line), "product_id")) }
        guard let quantity else { throw Self.missing(FieldPath(.item(line), "quantity")) }
        guard let unitPrice else { throw Self.missing(FieldPath(.item(line), "unit_price")) }
        item.productID = productID
        item.quantity = quantity
        item.unitPrice = unitPrice
        return item
    }

    private mutating func customer() throws(Rejection) -> Checkout.Customer? {
        guard try enterObject("customer") else { return nil }
        var customer = Checkout.Customer()
        while let key = try nextKey() {
            switch key {
            case "id": customer.id = try text(FieldPath(.object("customer"), "id"))
            case "email": customer.email = try text(FieldPath(.object("customer"), "email"))
            case "name": customer.name = try text(FieldPath(.object("customer"), "name"))
            default: try skip()
            }
        }
        return customer
    }

    private mutating func address() throws(Rejection) -> Checkout.Address? {
        let name: StaticString = "shipping_address"
        guard try enterObject("\(name)") else { return nil }
        var address = Checkout.Address()
        while let key = try nextKey() {
            switch key {
            case "name": address.name = try text(FieldPath(.object(name), "name"))
            case "line1": address.line1 = try text(FieldPath(.object(name), "line1"))
            case "line2": address.line2 = try text(FieldPath(.object(name), "line2"))
            case "city": address.city = try text(FieldPath(.object(name), "city"))
            case "state": address.state = try text(FieldPath(.object(name), "state"))
            case "postal_code": address.postalCode = try text(FieldPath(.object(name), "postal_code"))
            case "country": address.country = try text(FieldPath(.object(name), "country"))
            default: try skip()
            }
        }
        return address
    }

    /// The value of the lines so far. 2^53 − 1 times 1,000,000 is beyond `Int64`: every step is checked.
    private static func adding(_ item: Checkout.Item, line: Int, to value: Int64) throws(Rejection) -> Int64 {
        let (product, productOverflows) = item.unitPrice.multipliedReportingOverflow(by: item.quantity)
        let (sum, sumOverflows) = value.addingReportingOverflow(product)
        guard !productOverflows, !sumOverflows, sum <= Limit.exactInteger else {
            throw Rejection(
                .invalidValue,
                "items[\(line)]: unit_price × quantity, summed up to this line, passes \(Limit.exactInteger)")
        }
        return sum
    }

    static func missing(_ path: FieldPath) -> Rejection {
        Rejection(.missingField, "\(path): missing")
    }
}
