/// A paid order, as a `checkout.completed` message carries it (money in minor units of `currency`).
package struct Checkout: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package var productID: Identifier
        package var variantID: Identifier?
        package var article: Article { Article(productID, variantID) }
        /// 1 … `Limit.quantity`.
        package var quantity: Int64
        /// 0 … 2^53 − 1.
        package var unitPrice: Int64
        package var stripeProductID: String?
        package var productName: String?
        package var variantName: String?

        package init(
            productID: Identifier, variantID: Identifier? = nil, quantity: Int64, unitPrice: Int64,
            stripeProductID: String? = nil, productName: String? = nil, variantName: String? = nil
        ) {
            self.productID = productID
            self.variantID = variantID
            self.quantity = quantity
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

    package var orderID: Identifier
    package var paymentIntentID: String?
    /// As the message gives it; not interpreted.
    package var completedAt: String?
    package var customer: Customer?
    package var currency: String?
    package var subtotal: Int64?
    package var tax: Int64?
    package var shipping: Int64?
    package var total: Int64?
    /// 1 … `Limit.items`, in the message's order.
    package var items: [Item]
    package var shippingAddress: Address?

    package init(
        orderID: Identifier, paymentIntentID: String? = nil, completedAt: String? = nil, customer: Customer? = nil,
        currency: String? = nil, subtotal: Int64? = nil, tax: Int64? = nil, shipping: Int64? = nil,
        total: Int64? = nil, items: [Item], shippingAddress: Address? = nil
    ) {
        self.orderID = orderID
        self.paymentIntentID = paymentIntentID
        self.completedAt = completedAt
        self.customer = customer
        self.currency = currency
        self.subtotal = subtotal
        self.tax = tax
        self.shipping = shipping
        self.total = total
        self.items = items
        self.shippingAddress = shippingAddress
    }

    /// Units of the whole order.
    package var units: Int64 {
        // At most 2,000 lines of 1,000,000: far from overflow.
        items.reduce(0) { $0 + $1.quantity }
    }
}
