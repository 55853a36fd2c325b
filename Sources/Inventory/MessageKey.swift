/// What names a message for good: its kind and the id its publisher gave it. The same key with the same content is a
/// replay; with other content it is a conflict.
package enum MessageKey: Sendable, Hashable {
    case order(Identifier)
    case cancellation(Identifier)
    case adjustment(Identifier)

    /// The field of the payload that holds the id.
    package var field: String {
        switch self {
        case .order: "order_id"
        case .cancellation: "cancellation_id"
        case .adjustment: "adjustment_id"
        }
    }

    package var id: Identifier {
        switch self {
        case .order(let id), .cancellation(let id), .adjustment(let id): id
        }
    }

    /// Why a message with the key of a recorded one and other content is a dead letter.
    package var conflict: DeadLetterReason {
        switch self {
        case .order: .orderConflict
        case .cancellation: .cancellationConflict
        case .adjustment: .adjustmentConflict
        }
    }
}
