import Counters
import Domain
import Ledger

/// Compares the counters exactly with the ledger while orders are processed, without blocking anything.
///
/// 1. Take a snapshot: a script reads some counters together with their (epoch, seq = N).
/// 2. Wait until the ledger has recorded N: decided batches may not be recorded yet.
/// 3. In one transaction, read the ledger's values of these counters and the changes recorded after N, which are
///    subtracted.
///
/// The remaining difference is drift. A large catalogue is compared in parts, so that only one part is in memory at a
/// time. All parts belong to the same epoch and catalogue version; if the epoch changes in the meantime, the comparison
/// starts again.
package struct Reconciler: Sendable {
    package let ledger: any LedgerAudit
    package let counters: CounterReader
    /// The name of Redis in error messages.
    package let redis: String
    /// How long the ledger may take to catch up with a snapshot, and the counters with a new epoch. After that the
    /// comparison assumes that no consumer is active, and fails.
    package var patience = Duration.seconds(5)
    /// The number of counters that are compared together, in several snapshots. A part waits for the ledger only once,
    /// which under load takes as long as recording a batch or two. Each counter takes about 300 bytes.
    var partCounters = 4_000

    /// The maximum number of comparisons to start while the epoch keeps changing.
    private static let rounds = 10
    private static let pollInterval = Duration.milliseconds(5)

    package init(ledger: any LedgerAudit, counters: CounterReader, redis: String) {
        self.ledger = ledger
        self.counters = counters
        self.redis = redis
    }

    /// Reports the drift of all counters.
    /// - Parameters:
    ///   - all: whether to report every counter, not only those that drift.
    ///   - explained: the number of counters for which to search for changes that explain the drift.
    /// - Throws: `ReconciliationError`; errors of Redis and the ledger.
    package func drift(all: Bool = false, explained: Int = 0) async throws -> DriftReport {
        for _ in 0..<Self.rounds {
            try await waitForOneState()
            if let report = try await compare(all: all, explained: explained) { return report }
        }
        throw ReconciliationError.changing
    }

    /// Waits until counters and ledger are at the same epoch and catalogue version.
    private func waitForOneState() async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let (found, head) = (try await counters.head(), try await ledger.head())
            if let identity = found.ledger, identity != ledger.identity {
                throw ReconciliationError.otherLedger(redis: redis, found: identity)
            }
            if found.epoch == head.epoch, found.catalogue == head.catalogueVersion { return }
            if ContinuousClock.now >= deadline {
                if found.isEmpty { throw ReconciliationError.notInstalled(redis: redis, key: counters.keys.stock) }
                if found.epoch == head.epoch {
                    throw ReconciliationError.differentCatalogues(
                        counters: found.catalogue, ledger: head.catalogueVersion)
                }
                throw ReconciliationError.differentEpochs(counters: found.epoch, ledger: head.epoch)
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// Makes one comparison.
    /// - Returns: `nil` if the epoch changed in the meantime.
    private func compare(all: Bool, explained: Int) async throws -> DriftReport? {
        var report: DriftReport?
        var part: CounterNames
        var last: CounterName?
        repeat {
            part = try await ledger.counterNames(after: last, limit: partCounters)
            guard let snapshots = try await snapshots(of: part) else { return nil }
            var soFar = report ?? DriftReport(epoch: part.head.epoch, snapshots[0])
            guard soFar.epoch == part.head.epoch,
                try await compare(snapshots, with: part, all: all, explained: explained, into: &soFar)
            else { return nil }
            report = soFar
            last = part.names.last
        } while part.names.count == partCounters
        guard var report else { return nil }
        report.extraFields = max(report.extraFields, 0)
        if report.extraFields > 0 { report.extraNames = try await extraNames() }
        return report
    }

    /// Reads some counters from Redis.
    /// - Returns: `nil` if they are not of the epoch and catalogue version in which they were listed.
    private func snapshots(of part: CounterNames) async throws -> [CounterSnapshot]? {
        var snapshots: [CounterSnapshot] = []
        var start = 0
        repeat {
            let slice = part.names[start..<min(start + CounterReader.sliceCounters, part.names.count)]
            let snapshot = try await counters.snapshot(slice)
            guard snapshot.head.epoch == part.head.epoch, snapshot.head.catalogue == part.head.catalogueVersion else {
                return nil
            }
            snapshots.append(snapshot)
            start += slice.count
        } while start < part.names.count
        return snapshots
    }

    /// - Returns: `false` if the epoch changed in the meantime.
    private func compare(
        _ snapshots: [CounterSnapshot], with part: CounterNames, all: Bool, explained: Int,
        into report: inout DriftReport
    ) async throws -> Bool {
        let before = part.head
        // The gate changes the counters before the ledger records. Counters that are behind the ledger, or have no seq,
        // have lost changes, and are compared with the ledger's state from before they were read.
        let seqs = snapshots.map { max($0.head.seq ?? 0, before.seq) }
        let highest = seqs.max() ?? 0
        guard try await waitUntilRecorded(highest, epoch: before.epoch) else { return false }
        let recorded = try await ledger.counters(part.names, withChangesAfter: before.seq)
        guard recorded.head.epoch == before.epoch, recorded.head.catalogueVersion == before.catalogueVersion
        else { return false }
        report.seq = max(report.seq, highest)
        report.compared += part.names.count
        for (snapshot, seq) in zip(snapshots, seqs) {
            report.extraFields -= snapshot.counterFields
            for (name, found) in snapshot.counters {
                guard var expected = recorded.counters[name] else { return false }
                let now = expected.sold ?? 0
                expected.sold = now - recorded.units(of: name, after: seq)
                let ledger = now - recorded.units(of: name, after: before.seq)
                let comparison = CounterComparison(
                    counter: name, ledger: ledger, inFlight: (expected.sold ?? 0) - ledger, expected: expected,
                    found: found)
                if !comparison.isRight {
                    let explanation =
                        report.drift.count < explained ? try await explain(comparison, upTo: seq) : []
                    report.drift.append(Drift(comparison: comparison, explanation: explanation))
                }
                if all { report.comparisons.append(comparison) }
            }
        }
        return true
    }

    /// How many seqs back to search for changes that explain a difference.
    private static let explainedSeqs: Int64 = 10_000
    /// The maximum number of changes in an explanation, and of reported names of extra fields.
    private static let explanations = 20

    /// Returns the latest changes if they add up to the units that the counter lacks, as if they had not happened.
    /// Empty if no number of them adds up, or if it takes too many.
    private func explain(_ comparison: CounterComparison, upTo seq: Int64) async throws -> [RecordedChange] {
        guard let drift = comparison.drift, drift != 0 else { return [] }
        let changes = try await ledger.changes(of: comparison.counter, above: seq - Self.explainedSeqs, upTo: seq)
        var missing: Int64 = 0
        for (index, change) in changes.prefix(Self.explanations).enumerated() {
            missing += change.units
            if missing == -drift { return Array(changes.prefix(index + 1)) }
        }
        return []
    }

    /// Returns the names of fields that belong to no counter, as far as HSCAN finds them.
    private func extraNames() async throws -> [String] {
        try await counters.fields(limit: Self.explanations) { fields in
            let fields = fields.filter { !CounterHead.fields.contains($0) }
            let named = fields.map(CounterName.init(ofField:))
            let known = try await ledger.known(named.compactMap { $0 })
            return zip(fields, named).compactMap { field, name in
                name.map(known.contains) == true ? nil : field
            }
        }
    }

    /// - Returns: `false` if the epoch changed.
    private func waitUntilRecorded(_ seq: Int64, epoch: Int64) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            let head = try await ledger.head()
            if head.epoch != epoch { return false }
            if head.seq >= seq { return true }
            if ContinuousClock.now >= deadline { throw ReconciliationError.behind(counters: seq, ledger: head.seq) }
            try await Task.sleep(for: Self.pollInterval)
        }
    }
}

extension DriftReport {
    /// Creates the report of a comparison that begins with this snapshot. All fields except the head's count as extra
    /// until they are found to belong to a counter.
    fileprivate init(epoch: Int64, _ snapshot: CounterSnapshot) {
        self.init(epoch: epoch, seq: 0, extraFields: snapshot.fields - snapshot.headFields, compared: 0)
    }
}
