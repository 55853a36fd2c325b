/// A decoded message that asks for a change. It passes from the decoder through every stage to the ledger.
///
/// The rare cases are indirect, so that every command is one reference.
package enum Command: Sendable, Equatable {
    case placeOrder(Order)
    indirect case cancel(Cancellation)
    indirect case adjust(Adjustment)
    indirect case refund(Refund)

    /// Identifies a command permanently: its kind, and the id that its publisher assigned. The same key with the same
    /// content is a replay; with other content it is a conflict.
    package struct Key: Sendable, Hashable {
        package var kind: Kind
        package var id: Identifier

        package init(_ kind: Kind, _ id: Identifier) {
            self.kind = kind
            self.id = id
        }

        /// The ids that every message with this key contains.
        package var ids: MessageIDs {
            var ids = MessageIDs()
            ids[kind] = id
            return ids
        }
    }

    package var kind: Kind {
        switch self {
        case .placeOrder: .placeOrder
        case .cancel: .cancel
        case .adjust: .adjust
        case .refund: .refund
        }
    }

    package var key: Key {
        switch self {
        case .placeOrder(let order): Key(.placeOrder, order.id)
        case .cancel(let cancellation): Key(.cancel, cancellation.cancellationID)
        case .adjust(let adjustment): Key(.adjust, adjustment.adjustmentID)
        case .refund(let refund): Key(.refund, refund.refundID)
        }
    }

    /// The digest of the command's content (`ContentDigest.swift`), 32 bytes.
    package var digest: [UInt8] {
        switch self {
        case .placeOrder(let order): order.digest
        case .cancel(let cancellation): cancellation.digest
        case .adjust(let adjustment): adjustment.digest
        case .refund(let refund): refund.digest
        }
    }

    /// The sender's name, as the message gives it.
    package var by: String? {
        switch self {
        case .placeOrder(let order): order.checkout.by
        case .cancel(let cancellation): cancellation.by
        case .adjust(let adjustment): adjustment.by
        case .refund(let refund): refund.by
        }
    }

    /// The order that the command refers to; nil for an order itself.
    package var orderID: Identifier? {
        switch self {
        case .placeOrder, .adjust: nil
        case .cancel(let cancellation): cancellation.orderID
        case .refund(let refund): refund.orderID
        }
    }

    package var ids: MessageIDs {
        var ids = key.ids
        if let orderID { ids.order = orderID }
        return ids
    }

    /// The number of lines, which counts towards the limit on a batch's lines.
    package var lines: Int {
        switch self {
        case .placeOrder(let order): order.checkout.lines.count
        case .cancel(let cancellation): cancellation.items?.count ?? 1
        case .adjust, .refund: 1
        }
    }

    /// How a command changes the counters.
    package enum Effect: Sendable {
        /// Takes either all of these units or, if a cap does not allow it, none.
        case take([Movement])
        /// Takes units that an order owns away from it.
        case takeBack(Cancellation)
        /// Adds to the units that no order owns, regardless of the caps.
        case adjust(Adjustment)
        case nothing
    }

    /// The effect of the command. The arbiter's decision depends on nothing else, not even on the kind.
    package var effect: Effect {
        switch self {
        case .placeOrder(let order): .take(order.movements)
        case .cancel(let cancellation): .takeBack(cancellation)
        case .adjust(let adjustment): .adjust(adjustment)
        case .refund: .nothing
        }
    }

    /// Whether the caps may refuse the command. All other commands report what has already happened.
    package var isBoundByCaps: Bool {
        if case .take = effect { true } else { false }
    }

    /// Whether the command may leave the counters unchanged.
    package var mayChangeNothing: Bool {
        switch effect {
        case .take, .adjust: false
        case .takeBack, .nothing: true
        }
    }
}

extension Outcome {
    /// Creates the outcome of a decided command, including the fields that only commands of its kind have.
    package init(_ decided: DecidedCommand) {
        self.init(
            of: decided.command.key, ids: decided.command.ids, seq: decided.decision.seq, decidedAt: decided.decidedAt)
        switch decided.command {
        case .placeOrder(let order):
            units = order.checkout.units
            reason = decided.decision.shortage?.reason.rawValue ?? ""
        case .cancel(let cancellation):
            units = cancellation.restocked(decided.planned.movements)
            reason = Self.cancellationReason(notOwned: cancellation.notOwned(decided.planned.movements))
        case .adjust(let adjustment): units = adjustment.units
        case .refund: break
        }
    }
}
