import Ledger

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
