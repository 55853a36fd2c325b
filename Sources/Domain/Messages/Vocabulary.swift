/// The public vocabulary: types of messages, outcomes, reasons of dead letters. Start here to add a kind of command.

extension Command {
    /// The raw values are the values of a message's `type` field.
    package enum Kind: String, Sendable, CaseIterable {
        case placeOrder = "checkout.completed"
        case cancel = "order.cancelled"
        case adjust = "stock.adjusted"
        case refund = "order.refunded"

        /// The noun for a recorded command of this kind: the `kind` of its row in the journal.
        package var noun: String {
            switch self {
            case .placeOrder: "order"
            case .cancel: "cancellation"
            case .adjust: "adjustment"
            case .refund: "refund"
            }
        }

        /// The field that holds the id, both in the payload and in the outcome.
        package var idField: String { noun + "_id" }

        /// Hashes one byte: the synthesised version would hash the whole text.
        package func hash(into hasher: inout Hasher) { hasher.combine(self == .placeOrder ? 0 : noun.utf8.first ?? 0) }

        /// The outcome of a command that changes everything it asks for. An order may be refused instead.
        package var outcome: Outcome.Kind {
            switch self {
            case .placeOrder: .accepted
            case .cancel: .cancelled
            case .adjust: .adjusted
            case .refund: .refunded
            }
        }

        /// The reason of a dead letter with the key of a recorded command but different content.
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
    /// The raw values are the values of the `outcome` field.
    package enum Kind: String, Sendable, CaseIterable {
        case accepted
        case refused
        case cancelled
        case adjusted
        case refunded
        case deadLetter = "dead_letter"

        /// Every value that `reason` may have; the empty text means no reason.
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

/// Why a message can never be processed in its present form. The raw values are stored in `dead_letters.reason`.
package enum DeadLetterReason: String, Sendable, CaseIterable {
    // Invalid framing.
    case missingType = "missing_type"
    case missingPayload = "missing_payload"
    case unknownType = "unknown_type"
    case payloadTooLarge = "payload_too_large"
    // Invalid payloads.
    case invalidUTF8 = "invalid_utf8"
    case invalidJSON = "invalid_json"
    case missingField = "missing_field"
    case wrongType = "wrong_type"
    case invalidValue = "invalid_value"
    case tooManyItems = "too_many_items"
    // Conflicts with the catalogue.
    case unknownProduct = "unknown_product"
    case unknownVariant = "unknown_variant"
    case variantOfAnotherProduct = "variant_of_another_product"
    case variantRequired = "variant_required"
    case variantNotAllowed = "variant_not_allowed"
    case productClosed = "product_closed"
    case variantClosed = "variant_closed"
    // Conflicts with recorded commands.
    case orderConflict = "order_conflict"
    case cancellationConflict = "cancellation_conflict"
    case adjustmentConflict = "adjustment_conflict"
    case refundConflict = "refund_conflict"
    case unknownOrder = "unknown_order"
    case adjustmentTooLarge = "adjustment_too_large"
    case currencyMismatch = "currency_mismatch"
    // Messages that were not decoded.
    case crashedConsumer = "crashed_consumer"
    case entryNotRead = "entry_not_read"
}
