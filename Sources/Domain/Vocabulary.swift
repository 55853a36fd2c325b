/// The words that are public: types of messages, outcomes, reasons of dead letters. A new kind of command begins here.

extension Command {
    /// The raw values are the values of the field `type` of a message.
    package enum Kind: String, Sendable, CaseIterable {
        case placeOrder = "checkout.completed"
        case cancel = "order.cancelled"
        case adjust = "stock.adjusted"
        case refund = "order.refunded"

        /// What a command of this kind becomes: the `kind` of its row in the journal.
        package var noun: String {
            switch self {
            case .placeOrder: "order"
            case .cancel: "cancellation"
            case .adjust: "adjustment"
            case .refund: "refund"
            }
        }

        /// The field of the payload that holds the id, and of the outcome.
        package var idField: String { noun + "_id" }

        /// One byte: by default the whole text would be hashed.
        package func hash(into hasher: inout Hasher) { hasher.combine(self == .placeOrder ? 0 : noun.utf8.first ?? 0) }

        /// The outcome of one that changes what it asks for. An order may be refused instead.
        package var outcome: Outcome.Kind {
            switch self {
            case .placeOrder: .accepted
            case .cancel: .cancelled
            case .adjust: .adjusted
            case .refund: .refunded
            }
        }

        /// Why a message with the key of a recorded command but other content is a dead letter.
        package var conflict: DeadLetterReason {
            switch self {
            case .placeOrder: .orderConflict
            case .cancel: .cancellationConflict
            case .adjust: .adjustmentConflict
            case .refund: .refundConflict
            }
        }
    }
}

extension Outcome {
    /// The raw values are the values of the field `outcome`.
    package enum Kind: String, Sendable, CaseIterable {
        case accepted
        case refused
        case cancelled
        case adjusted
        case refunded
        case deadLetter = "dead_letter"

        /// Every `reason` that it may have; empty: none.
        package var reasons: [String] {
            switch self {
            case .accepted, .adjusted, .refunded: [""]
            case .refused: ShortageReason.allCases.map(\.rawValue)
            case .cancelled: ["", Cancellation.notOwnedReason]
            case .deadLetter: DeadLetterReason.allCases.map(\.rawValue)
            }
        }
    }
}

/// Why a message can never be processed as it is. The raw values are stored in `dead_letters.reason`.
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
    case refundConflict = "refund_conflict"
    case unknownOrder = "unknown_order"
    case adjustmentTooLarge = "adjustment_too_large"
    case currencyMismatch = "currency_mismatch"
    // Undecoded.
    case crashedConsumer = "crashed_consumer"
    case entryNotRead = "entry_not_read"
}
