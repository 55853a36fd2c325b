/// The outcome of a message, as it is announced on the stream of outcomes.
package struct Outcome: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case accepted
        case refused
        case cancelled
        case adjusted
        case deadLetter = "dead_letter"
    }

    package var kind: Kind
    /// Empty where it does not apply, like the fields that follow.
    package var orderID: String
    package var cancellationID: String
    package var adjustmentID: String
    /// Set for a refusal, a dead letter, and a cancellation that asks for units which its order does not own.
    package var reason: String
    package var seq: Int64?
    /// For an order: all that it asked for. For a cancellation: what came back into stock. For an adjustment: what it
    /// added.
    package var units: Int64?
    /// RFC 3339, UTC.
    package var decidedAt: String

    package init(
        kind: Kind, orderID: String = "", cancellationID: String = "", adjustmentID: String = "", reason: String = "",
        seq: Int64? = nil,
        units: Int64? = nil, decidedAt: String
    ) {
        self.kind = kind
        self.orderID = orderID
        self.cancellationID = cancellationID
        self.adjustmentID = adjustmentID
        self.reason = reason
        self.seq = seq
        self.units = units
        self.decidedAt = decidedAt
    }

    package init(kind: Kind, ids: MessageIDs, reason: String, decidedAt: String) {
        self.init(
            kind: kind, orderID: ids.order?.text ?? "", cancellationID: ids.cancellation?.text ?? "",
            adjustmentID: ids.adjustment?.text ?? "", reason: reason, decidedAt: decidedAt)
    }
}

extension Outcome {
    /// Of a command and its decision.
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
        }
    }

    /// Sets what follows from a command's key and from whether it has changed the counters, but not `units` and
    /// `reason`.
    package init(of key: Command.Key, ids: MessageIDs, seq: Int64?, decidedAt: String) {
        // An order that took units was accepted, whatever was cancelled later.
        let kind: Kind =
            switch key.kind {
            case .placeOrder: seq == nil ? .refused : .accepted
            case .cancel: .cancelled
            case .adjust: .adjusted
            }
        self.init(kind: kind, ids: ids, reason: "", decidedAt: decidedAt)
        self.seq = seq
    }

    /// - Parameter notOwned: units that the cancellation asked for and its order did not own.
    package static func cancellationReason(notOwned: Int64) -> String {
        notOwned > 0 ? Cancellation.notOwnedReason : ""
    }
}
