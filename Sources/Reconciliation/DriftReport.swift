import Domain
import Ledger

/// One counter, compared with the ledger.
package struct CounterComparison: Sendable, Equatable {
    package var counter: CounterName
    /// Units sold that the ledger had recorded before the counters were read.
    package var ledger: Int64
    /// Units that were decided by the time they were read, and recorded since.
    package var inFlight: Int64
    /// What the counter must be. Its units are those of the ledger and those in flight.
    package var expected: CounterState
    package var found: CounterState

    /// Units the counter has too many (or, below 0, too few); nil if it has none at all.
    package var drift: Int64? {
        // A manual write to Redis may leave any number; a difference beyond the bounds is reported as the bound.
        found.sold.map { sold in
            let (drift, overflows) = sold.subtractingReportingOverflow(expected.sold ?? 0)
            return overflows ? (sold < 0 ? -.max : .max) : max(drift, -.max)
        }
    }

    package var isRight: Bool { expected == found }

    /// What differs besides the units, in words; empty if nothing does.
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

/// A counter that differs from what it must be by the ledger.
package struct Drift: Sendable, Equatable {
    package var comparison: CounterComparison
    /// Changes that explain the drift: the counter lacks them, as if they had not happened.
    package var explanation: [RecordedChange] = []

    package var counter: CounterName { comparison.counter }
}

/// What a comparison of counters and ledger found.
package struct DriftReport: Sendable, Equatable {
    package var epoch: Int64
    /// The highest seq of the counters when they were read.
    package var seq: Int64
    package var drift: [Drift] = []
    /// Fields in the counters' hash that belong to nothing in the catalogue.
    package var extraFields: Int64 = 0
    /// Some of their names.
    package var extraNames: [String] = []
    /// How many counters were compared.
    package var compared: Int
    /// Every comparison, if requested.
    package var comparisons: [CounterComparison] = []

    package var isClean: Bool { drift.isEmpty && extraFields == 0 }

    /// What a new epoch corrects.
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

    /// The part of this that an earlier comparison of the same epoch found in the same way: it is not a transient
    /// state.
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
