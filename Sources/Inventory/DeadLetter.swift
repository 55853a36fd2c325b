/// Why a message can never be processed as it is. The raw values are public: they are stored in `dead_letters.reason`.
package enum DeadLetterReason: String, Sendable, CaseIterable {
    // The frame.
    case missingType = "missing_type"
    case missingPayload = "missing_payload"
    case unknownType = "unknown_type"
    case payloadTooLarge = "payload_too_large"
    // The payload.
    case invalidUTF8 = "invalid_utf8"
    case invalidJSON = "invalid_json"
    case missingField = "missing_field"
    case wrongType = "wrong_type"
    case invalidValue = "invalid_value"
    case tooManyItems = "too_many_items"
    // Against the catalogue.
    case unknownProduct = "unknown_product"
    case unknownVariant = "unknown_variant"
    case variantOfAnotherProduct = "variant_of_another_product"
    case variantRequired = "variant_required"
    case variantNotAllowed = "variant_not_allowed"
    case productClosed = "product_closed"
    case variantClosed = "variant_closed"
    // Against what is recorded.
    case orderConflict = "order_conflict"
    case cancellationConflict = "cancellation_conflict"
    case adjustmentConflict = "adjustment_conflict"
    case unknownOrder = "unknown_order"
    case adjustmentTooLarge = "adjustment_too_large"
    // Undecoded.
    case crashedConsumer = "crashed_consumer"
    case entryNotRead = "entry_not_read"
}

/// Why a message is invalid: the reason, and the place and details in words.
///
/// `detail` names paths, types, sizes, ids and numbers; never a customer's name, e-mail or address.
package struct InvalidMessage: Error, Sendable, Equatable {
    package var reason: DeadLetterReason
    package var detail: String

    package init(_ reason: DeadLetterReason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}
