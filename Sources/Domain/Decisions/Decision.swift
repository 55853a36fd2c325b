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

/// Why an order was refused. The raw values are part of the public contract.
package enum ShortageReason: String, Sendable, CaseIterable, Codable {
    /// No units are left.
    case soldOut = "sold_out"
    /// Some units are left, but fewer than were asked for.
    case insufficient
}

/// Why an order does not fit: the first counter with too few units left.
package struct Shortage: Sendable, Equatable {
    package var counter: CounterName
    /// Units that the whole order asks for from that counter.
    package var asked: Int64
    /// Units that were left in that counter.
    package var left: Int64

    package var reason: ShortageReason { left == 0 ? .soldOut : .insufficient }

    package init(counter: CounterName, asked: Int64, left: Int64) {
        self.counter = counter
        self.asked = asked
        self.left = left
    }
}
