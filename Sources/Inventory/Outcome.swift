/// What became of a message, as it is announced on the stream of outcomes.
package struct Outcome: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case accepted
        case refused
        case cancelled
        case adjusted
        case deadLetter = "dead_letter"
    }

    package var kind: Kind
    /// Empty where it does not apply, like all that follow.
    package var orderID: String
    package var cancellationID: String
    package var adjustmentID: String
    /// Of a refusal, of a dead letter, and of a cancellation that asks for units which its order does not own.
    package var reason: String
    package var seq: Int64?
    /// Of an order: all that it asked for. Of a cancellation: what came back into stock. Of an adjustment: what it added.
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
