import Domain

/// The comparison of one counter with the ledger.
package struct CounterComparison: Sendable, Equatable {
    package var counter: CounterName
    /// Units sold that the ledger had recorded before the counters were read.
    package var ledger: Int64
    /// Units that were decided before the counters were read, and recorded since then.
    package var inFlight: Int64
    /// The state that the counter should have. Its units are those in the ledger plus those in flight.
    package var expected: CounterState
    package var found: CounterState

    /// By how many units the counter is too high (if negative, too low); `nil` if the counter is missing.
    package var drift: Int64? {
        // A manual edit in Redis may leave any number. A difference beyond the bounds is clamped.
        found.sold.map { sold in
            let (drift, overflows) = sold.subtractingReportingOverflow(expected.sold ?? 0)
            return overflows ? (sold < 0 ? -.max : .max) : max(drift, -.max)
        }
    }

    package var isRight: Bool { expected == found }

    /// Describes the differences other than units; empty if there are none.
    package var detail: String {
        var notes: [String] = []
        if expected.cap != found.cap {
            func text(_ cap: Int64?) -> String { cap.map(String.init) ?? "none" }
            notes.append("cap \(text(found.cap)) instead of \(text(expected.cap))")
        }
        if expected.isActive != found.isActive { notes.append(found.isActive ? "not closed" : "closed") }
        return notes.joined(separator: ", ")
    }
}
