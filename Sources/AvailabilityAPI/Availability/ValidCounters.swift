import Counters
import Domain

/// Counters that belong to a given ledger and are not behind it.
package struct ValidCounters: Sendable {
    package let epoch: Int64
    /// The counters include this change, and possibly later ones.
    package let seq: Int64
    /// The catalogue version they were installed with; nil if unknown.
    package let catalogue: Int64?
    /// In the order requested. A counter that is missing or holds an impossible value has no `sold`.
    package let states: [CounterState]
}

extension CounterReader {
    /// Maximum number of attempts if the parts of a read differ in their epoch.
    private static let attempts = 3

    /// The named counters, if they belong to the given ledger and are not behind it. Does not check that all of them
    /// exist.
    ///
    /// - Parameters:
    ///   - groups: counters that must be read in one state: a product's and its variants'.
    ///   - identity: the ledger's identity.
    ///   - watermark: read before the call; nil if unknown, in which case it is not checked.
    /// - Throws: `CounterFault`; `RedisError`; `CountersError`.
    package func read(
        _ groups: [[CounterName]], of identity: String, reaching watermark: LedgerWatermark?
    ) async throws -> ValidCounters {
        for _ in 0..<Self.attempts {
            guard let snapshot = try await read(groups) else { continue }
            let head = snapshot.head
            guard let ledger = head.ledger, let epoch = head.epoch, let seq = head.seq else {
                throw CounterFault.notInstalled
            }
            guard ledger == identity else { throw CounterFault.otherLedger }
            if let watermark, watermark.isAbove(epoch: epoch, seq: seq) { throw CounterFault.behind }
            return ValidCounters(epoch: epoch, seq: seq, catalogue: head.catalogue, states: snapshot.states)
        }
        throw CounterFault.changing
    }
}
