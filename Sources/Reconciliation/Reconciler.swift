import Counters
import Inventory
import Ledger

/// Compares the counters with the ledger, exactly, while orders flow, and without holding anyone up.
///
/// 1. A cut: a script reads some counters with the (epoch, seq = N) they belong to; for a large catalogue several.
/// 2. Wait until the ledger has recorded N: what was decided is being recorded right now.
/// 3. In one transaction: the ledger's counters, and what was recorded after N, which is taken off again.
///
/// What is left over is drift. If the epoch changes on the way, it starts over.
package struct Reconciler: Sendable {
    package let ledger: LedgerDatabase
    package let counters: CounterReader
    /// How Redis is named in messages.
    package let redis: String
    /// How long the ledger may take to catch up with a cut, and the counters with a new epoch, before nobody is at it.
    package var patience = Duration.seconds(5)

    /// How often it starts over because the epoch changed.
    private static let rounds = 10
    private static let pollInterval = Duration.milliseconds(5)

    package init(ledger: LedgerDatabase, counters: CounterReader, redis: String) {
        self.ledger = ledger
        self.counters = counters
        self.redis = redis
    }

    /// The drift of all counters. Errors: `ReconciliationError`, and those of Redis and the ledger.
    package func drift() async throws -> DriftReport {
        for _ in 0..<Self.rounds {
            try await waitForOneState()
            if let report = try await compare() { return report }
        }
        throw ReconciliationError.unsettled
    }

    /// Waits until counters and ledger are at the same epoch and catalogue.
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

    /// One comparison, or nil when the epoch changed on the way.
    private func compare() async throws -> DriftReport? {
        let names = try await ledger.stock().products.flatMap(\.counters)
        let before = try await ledger.head()
        var cuts: [CounterCut] = []
        var start = 0
        repeat {
            let slice = names[start..<min(start + CounterReader.sliceCounters, names.count)]
            let cut = try await counters.cut(slice)
            if let first = cuts.first, first.head.epoch != cut.head.epoch { return nil }
            cuts.append(cut)
            start += slice.count
        } while start < names.count
        guard let epoch = cuts[0].head.epoch else { return nil }
        // Counters are decided before the ledger records. Ones that are behind it, or have no seq, have lost something,
        // and are held against what the ledger had before they were read.
        let seqs = cuts.map { max($0.head.seq ?? 0, before.seq) }
        let (lowest, highest) = (seqs.min() ?? 0, seqs.max() ?? 0)
        guard try await waitUntilRecorded(highest, epoch: epoch) else { return nil }
        let recorded = try await ledger.counters(withChangesAfter: lowest)
        guard recorded.head.epoch == epoch, recorded.head.catalogueVersion == cuts[0].head.catalogue else { return nil }
        var report = DriftReport(epoch: epoch, seq: highest, drift: [], extraFields: 0, compared: names.count)
        for (cut, seq) in zip(cuts, seqs) {
            for (name, found) in cut.counters {
                guard var expected = recorded.counters[name] else { return nil }
                expected.sold? -= recorded.units(of: name, after: seq)
                if expected != found { report.drift.append(Drift(counter: name, expected: expected, found: found)) }
            }
        }
        report.extraFields = max(cuts[0].fields - Self.expectedFields(cuts), 0)
        return report
    }

    /// Fields of the head, and of each counter as found.
    private static func expectedFields(_ cuts: [CounterCut]) -> Int64 {
        let head = cuts[0].head
        let headFields = [
            head.ledger != nil, head.epoch != nil, head.seq != nil, head.settled != nil, head.recorded != nil,
            head.catalogue != nil,
        ]
        var fields = headFields.count { $0 }
        for (_, state) in cuts.lazy.flatMap(\.counters) {
            fields += (state.sold == nil ? 0 : 1) + (state.cap == nil ? 0 : 1) + (state.isClosed ? 1 : 0)
        }
        return Int64(fields)
    }

    /// - Returns: false when the epoch changed.
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
