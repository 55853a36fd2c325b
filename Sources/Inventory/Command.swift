/// A decoded message: what it asks for. Goes from the decoder through every stage to the ledger.
///
/// The rare ones are indirect, so that a command is one reference, whatever it is.
package enum Command: Sendable, Equatable {
    case placeOrder(Order)
    indirect case cancel(Cancellation)
    indirect case adjust(Adjustment)

    /// The raw values are public: they stand in the field `type` of a message.
    package enum Kind: String, Sendable, CaseIterable {
        case placeOrder = "checkout.completed"
        case cancel = "order.cancelled"
        case adjust = "stock.adjusted"

        /// The field of the payload that holds the id.
        package var idField: String {
            switch self {
            case .placeOrder: "order_id"
            case .cancel: "cancellation_id"
            case .adjust: "adjustment_id"
            }
        }

        /// Why a message with the key of a recorded one and other content is a dead letter.
        package var conflict: DeadLetterReason {
            switch self {
            case .placeOrder: .orderConflict
            case .cancel: .cancellationConflict
            case .adjust: .adjustmentConflict
            }
        }
    }

    /// Names a command for good: its kind, and the id that its publisher gave it. The same key with the same content is
    /// a replay; with other content it is a conflict.
    package struct Key: Sendable, Hashable {
        package var kind: Kind
        package var id: Identifier

        package init(_ kind: Kind, _ id: Identifier) {
            self.kind = kind
            self.id = id
        }

        /// The ids that a message with this key names in any case.
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

    /// Of its content (`ContentDigest.swift`), 32 bytes.
    package var digest: [UInt8] {
        switch self {
        case .placeOrder(let order): order.digest
        case .cancel(let cancellation): cancellation.digest
        case .adjust(let adjustment): adjustment.digest
        }
    }

    package var ids: MessageIDs {
        var ids = key.ids
        if case .cancel(let cancellation) = self { ids.order = cancellation.orderID }
        return ids
    }

    /// How many lines it has; counts against the bound on a batch.
    package var lines: Int {
        switch self {
        case .placeOrder(let order): order.checkout.lines.count
        case .cancel(let cancellation): cancellation.items?.count ?? 1
        case .adjust: 1
        }
    }

    /// Whether the caps may refuse it. What cancellations and adjustments say has happened already.
    package var isBoundByCaps: Bool { kind == .placeOrder }
}
