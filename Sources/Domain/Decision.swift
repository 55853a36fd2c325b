/// The result of one command: the gate decides it by the counters, the arbiter again by the ledger's balances.
package enum Decision: Sendable, Equatable {
    /// The counters were changed, by the change with this `seq`.
    case accepted(seq: Int64)
    /// No counter in Redis changes; the ledger's `adjusted` may.
    case unchanged
    /// Only an order is ever refused.
    case refused(Shortage)

    /// Number of the change of the counters; nil: there was none.
    package var seq: Int64? {
        if case .accepted(let seq) = self { seq } else { nil }
    }

    package var shortage: Shortage? {
        if case .refused(let shortage) = self { shortage } else { nil }
    }
}

/// Why an order was refused. The raw values are public.
package enum ShortageReason: String, Sendable, CaseIterable, Codable {
    /// Nothing is left.
    case soldOut = "sold_out"
    /// Something is left, but less than was asked.
    case insufficient
}

/// Why an order does not fit: the first counter that has too few units.
package struct Shortage: Sendable, Equatable {
    package var counter: CounterName
    /// Units the whole order asks of that counter.
    package var asked: Int64
    /// Units that were left there.
    package var left: Int64

    package var reason: ShortageReason { left == 0 ? .soldOut : .insufficient }

    package init(counter: CounterName, asked: Int64, left: Int64) {
        self.counter = counter
        self.asked = asked
        self.left = left
    }
}
