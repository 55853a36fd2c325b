import Counters
import Inventory
import Ledger

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
    /// - Returns: a head with `epoch` and `seq`.
    /// - Throws: `CounterFault`; `RedisError`; `CountersError`.
    package func read(
        _ groups: [[CounterName]], of identity: String, reaching watermark: LedgerWatermark?
    ) async throws -> CounterReading {
        for _ in 0..<Self.attempts {
            guard let reading = try await read(groups) else { continue }
            guard let ledger = reading.head.ledger, let epoch = reading.head.epoch, let seq = reading.head.seq else {
                throw CounterFault.notInstalled
            }
            guard ledger == identity else { throw CounterFault.otherLedger }
            if let watermark, watermark.isAbove(epoch: epoch, seq: seq) { throw CounterFault.behind }
            return reading
        }
        throw CounterFault.changing
    }
}
