/// The outcome of a message, as announced on the stream of outcomes.
package struct Outcome: Sendable, Equatable {
    package var kind: Kind
    package var ids: MessageIDs
    /// Set for a refusal, a dead letter, and a cancellation that asks for units that its order does not own; otherwise
    /// empty.
    package var reason: String
    package var seq: Int64?
    /// The units of the message: for an order, all that it asked for; for a cancellation, the units returned to stock;
    /// for an adjustment, the units it added.
    package var units: Int64?
    /// The time of the decision: RFC 3339, UTC.
    package var decidedAt: String

    package init(
        kind: Kind, ids: MessageIDs = [:], reason: String = "", seq: Int64? = nil, units: Int64? = nil,
        decidedAt: String
    ) {
        self.kind = kind
        self.ids = ids
        self.reason = reason
        self.seq = seq
        self.units = units
        self.decidedAt = decidedAt
    }

    /// Creates an outcome from a command's key and from whether the command changed the counters. Does not set `units`
    /// and `reason`.
    package init(of key: Command.Key, ids: MessageIDs, seq: Int64?, decidedAt: String) {
        // An order that took units was accepted, even if it was cancelled later.
        let isRefused = key.kind == .placeOrder && seq == nil
        self.init(kind: isRefused ? .refused : key.kind.outcome, ids: ids, seq: seq, decidedAt: decidedAt)
    }

    /// Returns the `reason` of a cancellation's outcome.
    /// - Parameter notOwned: units that the cancellation asked for and its order did not own.
    package static func cancellationReason(notOwned: Int64) -> String {
        notOwned > 0 ? Cancellation.notOwnedReason : ""
    }

    /// The names of the outcome's fields on the stream, without its position.
    package static let fields =
        ["outcome"] + Command.Kind.allCases.map(\.idField) + ["reason", "seq", "units", "decided_at"]
}
