/// The outcome of a message, as it is announced on the stream of outcomes.
package struct Outcome: Sendable, Equatable {
    package var kind: Kind
    package var ids: MessageIDs
    /// Set for a refusal, a dead letter, and a cancellation that asks for units which its order does not own; else empty.
    package var reason: String
    package var seq: Int64?
    /// For an order: all that it asked for. For a cancellation: what came back into stock. For an adjustment: what it
    /// added.
    package var units: Int64?
    /// RFC 3339, UTC.
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

    /// Sets what follows from a command's key and from whether it has changed the counters, but not `units` and
    /// `reason`.
    package init(of key: Command.Key, ids: MessageIDs, seq: Int64?, decidedAt: String) {
        // An order that took units was accepted, whatever was cancelled later.
        let isRefused = key.kind == .placeOrder && seq == nil
        self.init(kind: isRefused ? .refused : key.kind.outcome, ids: ids, seq: seq, decidedAt: decidedAt)
    }

    /// - Parameter notOwned: units that the cancellation asked for and its order did not own.
    package static func cancellationReason(notOwned: Int64) -> String {
        notOwned > 0 ? Cancellation.notOwnedReason : ""
    }

    /// The names of its fields on the stream, without its place.
    package static let fields =
        ["outcome"] + Command.Kind.allCases.map(\.idField) + ["reason", "seq", "units", "decided_at"]
}
