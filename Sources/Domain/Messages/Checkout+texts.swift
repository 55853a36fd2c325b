// Access to the texts of an order by name, for code that handles single orders rather than ten thousand per second.
extension Checkout {
    /// The names of the order's texts; the raw value is the text's number.
    package enum Text: Int, CaseIterable {
        case paymentIntentID
        /// The time as the message gives it; not interpreted.
        case completedAt
        case currency
        case customerID, customerEmail, customerName
        case shippingName, shippingLine1, shippingLine2, shippingCity, shippingState, shippingPostalCode
        case shippingCountry
    }

    /// The names of the texts of one line.
    package enum LineText: Int, CaseIterable {
        case stripeProductID, productName, variantName

        /// Returns the number of this text in `Checkout.texts`.
        /// - Parameter line: the line's index, from 0.
        package func number(in line: Int) -> Int {
            Text.allCases.count + line * LineText.allCases.count + rawValue
        }
    }

    package struct Item: Sendable, Equatable {
        package var productID: Identifier
        package var variantID: Identifier?
        package var units: Int64
        package var unitPrice: Int64
        package var stripeProductID: String?
        package var productName: String?
        package var variantName: String?

        package init(
            productID: Identifier, variantID: Identifier? = nil, units: Int64, unitPrice: Int64,
            stripeProductID: String? = nil, productName: String? = nil, variantName: String? = nil
        ) {
            self.productID = productID
            self.variantID = variantID
            self.units = units
            self.unitPrice = unitPrice
            self.stripeProductID = stripeProductID
            self.productName = productName
            self.variantName = variantName
        }
    }

    package struct Customer: Sendable, Equatable {
        package var id: String?
        package var email: String?
        package var name: String?

        package init(id: String? = nil, email: String? = nil, name: String? = nil) {
            self.id = id
            self.email = email
            self.name = name
        }
    }

    package struct Address: Sendable, Equatable {
        package var name: String?
        package var line1: String?
        package var line2: String?
        package var city: String?
        package var state: String?
        package var postalCode: String?
        package var country: String?

        package init(
            name: String? = nil, line1: String? = nil, line2: String? = nil, city: String? = nil,
            state: String? = nil, postalCode: String? = nil, country: String? = nil
        ) {
            self.name = name
            self.line1 = line1
            self.line2 = line2
            self.city = city
            self.state = state
            self.postalCode = postalCode
            self.country = country
        }
    }

    package init(
        orderID: Identifier, paymentIntentID: String? = nil, completedAt: String? = nil, customer: Customer? = nil,
        currency: String? = nil, subtotal: Int64? = nil, tax: Int64? = nil, shipping: Int64? = nil,
        total: Int64? = nil, items: [Item], shippingAddress: Address? = nil
    ) {
        let lines = items.map {
            Line(productID: $0.productID, variantID: $0.variantID, units: $0.units, unitPrice: $0.unitPrice)
        }
        self.init(orderID: orderID, lines: lines, texts: TextSlices(capacity: 0))
        (self.subtotal, self.tax, self.shipping, self.total) = (subtotal, tax, shipping, total)
        let named: [(Text, String?)] = [
            (.paymentIntentID, paymentIntentID), (.completedAt, completedAt), (.currency, currency),
            (.customerID, customer?.id), (.customerEmail, customer?.email), (.customerName, customer?.name),
            (.shippingName, shippingAddress?.name), (.shippingLine1, shippingAddress?.line1),
            (.shippingLine2, shippingAddress?.line2), (.shippingCity, shippingAddress?.city),
            (.shippingState, shippingAddress?.state), (.shippingPostalCode, shippingAddress?.postalCode),
            (.shippingCountry, shippingAddress?.country),
        ]
        for (text, value) in named { texts.set(text.rawValue, to: value?.utf8) }
        for (line, item) in items.enumerated() {
            texts.set(LineText.stripeProductID.number(in: line), to: item.stripeProductID?.utf8)
            texts.set(LineText.productName.number(in: line), to: item.productName?.utf8)
            texts.set(LineText.variantName.number(in: line), to: item.variantName?.utf8)
        }
    }

    package subscript(_ text: Text) -> String? { texts[text.rawValue] }

    package var items: [Item] {
        lines.enumerated().map { number, line in
            Item(
                productID: line.productID, variantID: line.variantID, units: line.units,
                unitPrice: line.unitPrice, stripeProductID: texts[LineText.stripeProductID.number(in: number)],
                productName: texts[LineText.productName.number(in: number)],
                variantName: texts[LineText.variantName.number(in: number)])
        }
    }

    package var paymentIntentID: String? { self[.paymentIntentID] }
    package var completedAt: String? { self[.completedAt] }
    package var currency: String? { self[.currency] }

    /// The customer, or nil if every field is nil.
    package var customer: Customer? {
        let customer = Customer(id: self[.customerID], email: self[.customerEmail], name: self[.customerName])
        return customer == Customer() ? nil : customer
    }

    /// The shipping address, or nil if every field is nil.
    package var shippingAddress: Address? {
        let address = Address(
            name: self[.shippingName], line1: self[.shippingLine1], line2: self[.shippingLine2],
            city: self[.shippingCity], state: self[.shippingState], postalCode: self[.shippingPostalCode],
            country: self[.shippingCountry])
        return address == Address() ? nil : address
    }
}
