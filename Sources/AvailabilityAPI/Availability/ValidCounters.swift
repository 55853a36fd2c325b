import Counters
import Domain
import Ledger

/// Counters that are those of a ledger, and not behind it.
package struct ValidCounters: Sendable {
    package let epoch: Int64
    /// The figures are those after this change, or newer.
    package let seq: Int64
    /// The catalogue version they were installed with; nil: unknown.
    package let catalogue: Int64?
    /// In the order they were asked for. A counter that is missing, or holds an impossible value, has no `sold`.
    package let states: [CounterState]
}

/// Why the counters in Redis cannot be shown as those of a ledger.
package enum CounterFault: Error, Sendable, Equatable {
    /// No consumer has installed any.
    case notInstalled
    case otherLedger
    /// Redis has lost changes; a consumer installs the counters again.
    case behind
    /// They were installed again while they were read, several times in a row.
    case changing
}

extension CounterReader {
    /// Readings whose parts differ in their epoch are repeated this often.
    private static let attempts = 3

    /// The named counters, if they are those of a ledger and not behind it. Does not check that none is missing.
    ///
    /// - Parameters:
    ///   - groups: counters that must be read in one state: a product's and its variants'.
    ///   - identity: the ledger's.
    ///   - watermark: read before the call; nil: unknown, and not checked.
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
