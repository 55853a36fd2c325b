import Domain
import Ledger

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

/// A counter that differs from the state that the ledger implies.
package struct Drift: Sendable, Equatable {
    package var comparison: CounterComparison
    /// Recorded changes that explain the drift: the counter lacks them, as if they had not happened.
    package var explanation: [RecordedChange] = []

    package var counter: CounterName { comparison.counter }
}

/// The result of comparing the counters with the ledger.
package struct DriftReport: Sendable, Equatable {
    package var epoch: Int64
    /// The highest seq of the counters when they were read.
    package var seq: Int64
    package var drift: [Drift] = []
    /// The number of fields in the counters' hash that match nothing in the catalogue.
    package var extraFields: Int64 = 0
    /// The names of some of these fields.
    package var extraNames: [String] = []
    /// The number of counters that were compared.
    package var compared: Int
    /// Every comparison, if requested.
    package var comparisons: [CounterComparison] = []

    package var isClean: Bool { drift.isEmpty && extraFields == 0 }

    /// The corrections that a new epoch makes.
    package var repairs: [Repair] {
        let counters = drift.map { drift in
            Repair(
                place: .counters, level: drift.counter.level, id: drift.counter.id.text,
                found: drift.comparison.found.sold, expected: drift.comparison.expected.sold,
                detail: drift.comparison.detail)
        }
        let extra = extraNames.map { name in
            Repair(place: .counters, level: nil, id: name, found: nil, expected: nil, detail: "a field too many")
        }
        return counters + extra
    }

    /// The part of this report that an earlier comparison of the same epoch also found, and that is therefore not
    /// transient.
    package func agreed(with earlier: DriftReport) -> DriftReport {
        var agreed = self
        guard epoch == earlier.epoch else {
            agreed.drift = []
            agreed.extraFields = 0
            agreed.extraNames = []
            return agreed
        }
        func difference(_ drift: Drift) -> [String] {
            [drift.comparison.drift.map(String.init) ?? "missing", drift.comparison.detail]
        }
        let known = Dictionary(uniqueKeysWithValues: earlier.drift.map { ($0.counter, difference($0)) })
        agreed.drift = drift.filter { known[$0.counter] == difference($0) }
        if extraFields != earlier.extraFields {
            agreed.extraFields = 0
            agreed.extraNames = []
        }
        return agreed
    }
}
