/// The decision on one command: the gate makes it from the counters, and the arbiter again from the ledger's balances.
package enum Decision: Sendable, Equatable {
    /// The counters changed; `seq` is the number of the change.
    case accepted(seq: Int64)
    /// No counter in Redis changed; the ledger's `adjusted` may have.
    case unchanged
    /// Too few units are left. Only an order is ever refused.
    case refused(Shortage)

    /// The number of the change of the counters, or nil if they did not change.
    package var seq: Int64? {
        if case .accepted(let seq) = self { seq } else { nil }
    }

    package var shortage: Shortage? {
        if case .refused(let shortage) = self { shortage } else { nil }
    }
}
