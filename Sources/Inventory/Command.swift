/// A decoded message that asks for a change. Passes from the decoder through every stage to the ledger.
///
/// The rare cases are indirect, so that every command is one reference.
package enum Command: Sendable, Equatable {
    case placeOrder(Order)
    indirect case cancel(Cancellation)
    indirect case adjust(Adjustment)

    /// The raw values are public: they are the values of the field `type` of a message.
    package enum Kind: String, Sendable, CaseIterable {
        case placeOrder = "checkout.completed"
        case cancel = "order.cancelled"
        case adjust = "stock.adjusted"

        fileprivate var ordinal: UInt8 {
            switch self {
            case .placeOrder: 0
            case .cancel: 1
            case .adjust: 2
            }
        }

        /// The field of the payload that holds the id.
        package var idField: String {
            switch self {
            case .placeOrder: "order_id"
            case .cancel: "cancellation_id"
            case .adjust: "adjustment_id"
            }
        }

        /// Why a message with the key of a recorded command but other content is a dead letter.
        package var conflict: DeadLetterReason {
            switch self {
            case .placeOrder: .orderConflict
            case .cancel: .cancellationConflict
            case .adjust: .adjustmentConflict
            }
        }
    }

    /// Identifies a command permanently: its kind, and the id that its publisher gave it. The same key with the same
    /// content is a replay; with other content it is a conflict.
    package struct Key: Sendable, Hashable {
        package var kind: Kind
        package var id: Identifier

        package init(_ kind: Kind, _ id: Identifier) {
            self.kind = kind
            self.id = id
        }

        /// The kind as one byte: by default its text would be hashed.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(kind.ordinal)
            hasher.combine(id)
        }

        /// The ids that every message with this key names.
        package var ids: MessageIDs {
            switch kind {
            case .placeOrder: MessageIDs(order: id)
            case .cancel: MessageIDs(cancellation: id)
            case .adjust: MessageIDs(adjustment: id)
            }
        }
    }

    package var kind: Kind {
        switch self {
        case .placeOrder: .placeOrder
        case .cancel: .cancel
        case .adjust: .adjust
        }
    }

    package var key: Key {
        switch self {
        case .placeOrder(let order): Key(.placeOrder, order.id)
        case .cancel(let cancellation): Key(.cancel, cancellation.cancellationID)
        case .adjust(let adjustment): Key(.adjust, adjustment.adjustmentID)
        }
    }

    /// The digest of its content (`ContentDigest.swift`), 32 bytes.
    package var digest: [UInt8] {
        switch self {
        case .placeOrder(let order): order.digest
        case .cancel(let cancellation): cancellation.digest
        case .adjust(let adjustment): adjustment.digest
        }
    }

    /// Who sent it, as the message gives it.
    package var by: String? {
        switch self {
        case .placeOrder(let order): order.checkout.by
        case .cancel(let cancellation): cancellation.by
        case .adjust(let adjustment): adjustment.by
        }
    }

    package var ids: MessageIDs {
        var ids = key.ids
        if case .cancel(let cancellation) = self { ids.order = cancellation.orderID }
        return ids
    }

    /// How many lines it has; counts towards the limit on a batch's lines.
    package var lines: Int {
        switch self {
        case .placeOrder(let order): order.checkout.lines.count
        case .cancel(let cancellation): cancellation.items?.count ?? 1
        case .adjust: 1
        }
    }

    /// Whether the caps may refuse it. Cancellations and adjustments report what has already happened.
    package var isBoundByCaps: Bool { kind == .placeOrder }
}
