import Ingest
import Domain

/// A `checkout.completed` payload with every field, to be changed field by field.
enum SampleMessage {
    static let type = ByteSlice(Array("checkout.completed".utf8))

    static let payload = """
        {"order_id": "cs_live_a1", "payment_intent_id": "pi_1", "completed_at": "2026-11-22T10:00:00Z",
         "customer": {"id": "c-1", "email": "canary@example.com", "name": "Canary Customer"}, "currency": "usd",
         "subtotal": 199000, "tax": 100, "shipping": 0, "total": 199100,
         "items": [{"product_id": "Unit-8x8x8-Founder", "variant_id": "BLACK", "quantity": 2, "unit_price": 99500,
                    "stripe_product_id": "prod_1", "product_name": "Founder Edition Cube", "variant_name": "Black"},
                   {"product_id": "Material-8x8-V", "quantity": 1, "unit_price": 0}],
         "shipping_address": {"name": "Canary Recipient", "line1": "1 Canary Street", "line2": "Canary Floor",
                              "city": "Canaryville", "state": "CS", "postal_code": "CA 12345", "country": "US"},
         "by": "webhook 7"}
        """

    static let cancellation = """
        {"cancellation_id": "re_1", "order_id": "cs_live_a1", "cancelled_at": "2026-11-22T11:00:00Z", "restock": false,
         "items": [{"product_id": "Unit-8x8x8-Founder", "variant_id": "BLACK", "quantity": 1},
                   {"product_id": "Material-8x8-V", "quantity": 1}], "by": "support"}
        """

    static let adjustment = """
        {"adjustment_id": "adj_1", "product_id": "Unit-8x8x8-Founder", "variant_id": "BLACK", "sold": -3,
         "reason": "samples", "adjusted_at": "2026-11-22T11:00:00Z", "by": "maria"}
        """

    static let refund = """
        {"refund_id": "re_9", "order_id": "cs_live_a1", "payment_intent_id": "pi_1", "amount": 199100,
         "currency": "usd", "refunded_at": "2026-11-22T12:00:00Z", "by": "support"}
        """

    static let checkout = {
        var checkout = checkoutOfNobody
        checkout.by = "webhook 7"
        return checkout
    }()

    private static let checkoutOfNobody = Checkout(
        orderID: "cs_live_a1", paymentIntentID: "pi_1", completedAt: "2026-11-22T10:00:00Z",
        customer: Checkout.Customer(id: "c-1", email: "canary@example.com", name: "Canary Customer"),
        currency: "usd", subtotal: 199_000, tax: 100, shipping: 0, total: 199_100,
        items: [
            Checkout.Item(
                productID: "Unit-8x8x8-Founder", variantID: "BLACK", units: 2, unitPrice: 99_500,
                stripeProductID: "prod_1", productName: "Founder Edition Cube", variantName: "Black"),
            Checkout.Item(productID: "Material-8x8-V", units: 1, unitPrice: 0),
        ],
        shippingAddress: Checkout.Address(
            name: "Canary Recipient", line1: "1 Canary Street", line2: "Canary Floor", city: "Canaryville",
            state: "CS", postalCode: "CA 12345", country: "US"))

    /// Texts that must never appear in a detail.
    static let canaries = ["canary", "12345"]

    static func decode(_ payload: String) -> Result<Command, InvalidMessage> {
        MessageDecoder.decode(type: type, payload: ByteSlice(Array(payload.utf8)))
    }

    static func invalid(of payload: String) -> InvalidMessage? {
        switch decode(payload) {
        case .success: nil
        case .failure(let invalid): invalid
        }
    }

    /// A payload with the given items and only the required fields.
    static func payload(items: String) -> String {
        #"{"order_id":"o","items":\#(items)}"#
    }

    /// An item with one field changed, in a payload.
    static func payload(units: String = "1", unitPrice: String = "1") -> String {
        payload(items: #"[{"product_id":"p","quantity":\#(units),"unit_price":\#(unitPrice)}]"#)
    }
}
