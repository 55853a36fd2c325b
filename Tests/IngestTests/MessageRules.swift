import Foundation
import Ingest
import Domain

/// The rules that hold for every accepted message, independent of the decoder.
enum MessageRules {
    /// The rules that `message` breaks.
    static func violations(of command: Command) -> [String] {
        switch command {
        case .placeOrder(let order): violations(of: order.checkout)
        case .cancel(let cancellation): violations(of: cancellation)
        case .adjust(let adjustment): violations(of: adjustment)
        case .refund(let refund): violations(of: refund)
        }
    }

    private static func violations(of checkout: Checkout) -> [String] {
        var broken: [String] = []
        func rule(_ holds: Bool, _ name: String) { if !holds { broken.append(name) } }
        rule(isID(checkout.orderID), "order_id")
        rule(isName(checkout.by), "by")
        rule((1...2_000).contains(checkout.items.count), "items")
        var value: Decimal = 0
        for item in checkout.items {
            rule(isID(item.productID), "product_id")
            rule(item.variantID.map { isID($0) } ?? true, "variant_id")
            rule((1...1_000_000).contains(item.units), "quantity")
            rule((0...9_007_199_254_740_991).contains(item.unitPrice), "unit_price")
            value += Decimal(item.units) * Decimal(item.unitPrice)
        }
        rule(value <= 9_007_199_254_740_991, "the sum of the lines")
        for amount in [checkout.subtotal, checkout.tax, checkout.shipping, checkout.total].compactMap({ $0 }) {
            rule(amount.magnitude <= 9_007_199_254_740_991, "an amount")
        }
        let (customer, address) = (checkout.customer, checkout.shippingAddress)
        var texts = [checkout.paymentIntentID, checkout.completedAt, checkout.currency]
        texts += [customer?.id, customer?.email, customer?.name]
        texts += [address?.name, address?.line1, address?.line2, address?.city, address?.state]
        texts += [address?.postalCode, address?.country]
        texts += checkout.items.flatMap { [$0.stripeProductID, $0.productName, $0.variantName] }
        rule(texts.allSatisfy { $0?.utf8.contains(0) != true }, "U+0000")
        return broken
    }

    private static func violations(of cancellation: Cancellation) -> [String] {
        var broken: [String] = []
        func rule(_ holds: Bool, _ name: String) { if !holds { broken.append(name) } }
        rule(isID(cancellation.cancellationID), "cancellation_id")
        rule(isID(cancellation.orderID), "order_id")
        rule(isName(cancellation.by), "by")
        rule(cancellation.cancelledAt?.utf8.contains(0) != true, "U+0000")
        if let items = cancellation.items {
            rule((1...2_000).contains(items.count), "items")
            rule(items.allSatisfy { isSKU($0.sku) && (1...1_000_000).contains($0.units) }, "an item")
        }
        return broken
    }

    private static func violations(of adjustment: Adjustment) -> [String] {
        var broken: [String] = []
        func rule(_ holds: Bool, _ name: String) { if !holds { broken.append(name) } }
        rule(isID(adjustment.adjustmentID), "adjustment_id")
        rule(isSKU(adjustment.sku), "product_id, variant_id")
        rule(isName(adjustment.by), "by")
        rule(adjustment.units != 0 && adjustment.units.magnitude <= 1_000_000_000, "sold")
        rule(!adjustment.reason.isEmpty, "reason")
        rule(![adjustment.reason, adjustment.adjustedAt ?? ""].contains { $0.utf8.contains(0) }, "U+0000")
        return broken
    }

    private static func violations(of refund: Refund) -> [String] {
        var broken: [String] = []
        func rule(_ holds: Bool, _ name: String) { if !holds { broken.append(name) } }
        rule(isID(refund.refundID), "refund_id")
        rule(isID(refund.orderID), "order_id")
        rule(isName(refund.paymentIntentID), "payment_intent_id")
        rule(isName(refund.currency), "currency")
        rule(isName(refund.by), "by")
        rule(refund.amount.map { (1...9_007_199_254_740_991).contains($0) } ?? true, "amount")
        rule(refund.refundedAt?.utf8.contains(0) != true, "U+0000")
        return broken
    }

    private static func isSKU(_ sku: SKU) -> Bool {
        isID(sku.productID) && (sku.variantID.map { isID($0) } ?? true)
    }

    private static func isName(_ by: String?) -> Bool { by.map { isID(Identifier($0)) } ?? true }

    private static func isID(_ id: Identifier) -> Bool {
        (1...255).contains(id.text.utf8.count)
            && !id.text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
