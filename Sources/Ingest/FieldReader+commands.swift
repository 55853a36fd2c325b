import Domain
import StrictJSON

// The payloads of all kinds of commands; FieldReader+checkout.swift reads that of a checkout.
extension FieldReader {
    mutating func command(_ kind: Command.Kind) throws(InvalidMessage) -> Command {
        switch kind {
        case .placeOrder: .placeOrder(Order(try checkout()))
        case .cancel: .cancel(try cancellation())
        case .adjust: .adjust(try adjustment())
        case .refund: .refund(try refund())
        }
    }

    /// Reads the payload of an `order.cancelled` message.
    mutating func cancellation() throws(InvalidMessage) -> Cancellation {
        try enterPayload()
        var (cancellationID, orderID): (Identifier?, Identifier?)
        var cancelledAt: String?
        var items: [SKUUnits]?
        var restock = true
        var by: String?
        while let key = try nextKey() {
            switch key {
            case "cancellation_id": cancellationID = try identifier(FieldPath(.payload, "cancellation_id"))
            case "order_id": orderID = try identifier(FieldPath(.payload, "order_id"))
            case "cancelled_at": cancelledAt = try text(FieldPath(.payload, "cancelled_at"))
            case "items": items = try cancelledItems()
            case "restock": restock = try boolean(FieldPath(.payload, "restock")) ?? true
            case "by": by = try sender()
            default: try skip()
            }
        }
        guard let cancellationID else { throw Self.missing(FieldPath(.payload, "cancellation_id")) }
        guard let orderID else { throw Self.missing(FieldPath(.payload, "order_id")) }
        return Cancellation(
            cancellationID: cancellationID, orderID: orderID, cancelledAt: cancelledAt, items: items, restock: restock,
            by: by)
    }

    private mutating func cancelledItems() throws(InvalidMessage) -> [SKUUnits]? {
        let items = try array("items", limit: Limit.items) { fields, line throws(InvalidMessage) in
            try fields.cancelledItem(line)
        }
        // Ambiguous: it could mean nothing or everything. The sender must be explicit.
        if items?.isEmpty == true { throw InvalidMessage(.invalidValue, "items: is empty; absent means everything") }
        return items
    }

    /// Reads the sender of the message, which follows the rules for ids.
    mutating func sender() throws(InvalidMessage) -> String? { try identifier(FieldPath(.payload, "by"))?.text }

    private mutating func cancelledItem(_ line: Int) throws(InvalidMessage) -> SKUUnits {
        guard try enterObject("items[\(line)]") else {
            throw InvalidMessage(.wrongType, "items[\(line)]: must be an object, is null")
        }
        var productID: Identifier?
        var variantID: Identifier?
        var units: Int64?
        while let key = try nextKey() {
            switch key {
            case "product_id": productID = try identifier(FieldPath(.item(line), "product_id"))
            case "variant_id": variantID = try identifier(FieldPath(.item(line), "variant_id"))
            case "quantity": units = try integer(FieldPath(.item(line), "quantity"), in: 1...Limit.units)
            default: try skip()
            }
        }
        guard let productID else { throw Self.missing(FieldPath(.item(line), "product_id")) }
        guard let units else { throw Self.missing(FieldPath(.item(line), "quantity")) }
        return SKUUnits(SKU(productID, variantID), units)
    }

    /// Reads the payload of a `stock.adjusted` message.
    mutating func adjustment() throws(InvalidMessage) -> Adjustment {
        try enterPayload()
        var (adjustmentID, productID, variantID): (Identifier?, Identifier?, Identifier?)
        var units: Int64?
        var (reason, adjustedAt, by): (String?, String?, String?)
        while let key = try nextKey() {
            switch key {
            case "adjustment_id": adjustmentID = try identifier(FieldPath(.payload, "adjustment_id"))
            case "product_id": productID = try identifier(FieldPath(.payload, "product_id"))
            case "variant_id": variantID = try identifier(FieldPath(.payload, "variant_id"))
            case "sold":
                units = try integer(FieldPath(.payload, "sold"), in: -Limit.adjustment...Limit.adjustment)
                if units == 0 { throw InvalidMessage(.invalidValue, "sold: is 0, which adjusts nothing") }
            case "reason": reason = try text(FieldPath(.payload, "reason"))
            case "adjusted_at": adjustedAt = try text(FieldPath(.payload, "adjusted_at"))
            case "by": by = try sender()
            default: try skip()
            }
        }
        guard let adjustmentID else { throw Self.missing(FieldPath(.payload, "adjustment_id")) }
        guard let productID else { throw Self.missing(FieldPath(.payload, "product_id")) }
        guard let units else { throw Self.missing(FieldPath(.payload, "sold")) }
        guard let reason, !reason.isEmpty else { throw Self.missing(FieldPath(.payload, "reason")) }
        return Adjustment(
            adjustmentID: adjustmentID, sku: SKU(productID, variantID), units: units, reason: reason,
            adjustedAt: adjustedAt, by: by)
    }

    /// Reads the payload of an `order.refunded` message.
    private mutating func refund() throws(InvalidMessage) -> Refund {
        try enterPayload()
        var (refundID, orderID, paymentIntentID, currency): (Identifier?, Identifier?, Identifier?, Identifier?)
        var amount: Int64?
        var (refundedAt, by): (String?, String?)
        while let key = try nextKey() {
            switch key {
            case "refund_id": refundID = try identifier(FieldPath(.payload, "refund_id"))
            case "order_id": orderID = try identifier(FieldPath(.payload, "order_id"))
            case "payment_intent_id": paymentIntentID = try identifier(FieldPath(.payload, "payment_intent_id"))
            case "amount": amount = try integer(FieldPath(.payload, "amount"), in: 1...Limit.exactInteger)
            case "currency": currency = try identifier(FieldPath(.payload, "currency"))
            case "refunded_at": refundedAt = try text(FieldPath(.payload, "refunded_at"))
            case "by": by = try sender()
            default: try skip()
            }
        }
        guard let refundID else { throw Self.missing(FieldPath(.payload, "refund_id")) }
        guard let orderID else { throw Self.missing(FieldPath(.payload, "order_id")) }
        return Refund(
            refundID: refundID, orderID: orderID, paymentIntentID: paymentIntentID?.text, amount: amount,
            currency: currency?.text, refundedAt: refundedAt, by: by)
    }
}
