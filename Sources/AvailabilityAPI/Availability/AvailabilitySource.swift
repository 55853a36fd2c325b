import Counters
import Domain
import Ledger
import Logging

/// Why availability cannot be read. The condition is temporary, or is reported to an operator elsewhere.
struct AvailabilityUnavailable: Error, CustomStringConvertible {
    var description: String
}

/// Reads availability from Redis or, if Redis fails and the fallback is enabled, from the ledger.
struct AvailabilitySource: Sendable {
    let counters: CounterReader
    let ledger: any LedgerQueries
    let watch: LedgerWatch
    /// Whether the ledger is read when Redis fails. It lags by the decisions that are still being recorded.
    let fallsBackToLedger: Bool
    let logger: Logger

    /// The snapshot version, and the state of the named counters. Each group, a product with its variants, is read in
    /// one state.
    /// - Throws: `AvailabilityUnavailable`.
    func read(_ names: [[CounterName]]) async throws -> (version: SnapshotVersion, states: [CounterState]) {
        do {
            return try await fromRedis(names)
        } catch {
            guard fallsBackToLedger else { throw unavailable(error) }
            do { return try await fromLedger(names.flatMap { $0 }) } catch { throw unavailable(error) }
        }
    }

    private func fromRedis(_ names: [[CounterName]]) async throws -> (SnapshotVersion, [CounterState]) {
        // Read before the counters, which must have reached it.
        let watermark = watch.watermark
        let valid = try await counters.read(names, of: ledger.identity, reaching: watermark)
        let version = SnapshotVersion(
            source: .redis, epoch: valid.epoch, seq: valid.seq, catalogue: valid.catalogue ?? -1,
            asOf: Timestamp.now())
        return (version, valid.states)
    }

    private func fromLedger(_ names: [CounterName]) async throws -> (SnapshotVersion, [CounterState]) {
        guard watch.watermark != nil else {
            throw AvailabilityUnavailable(description: "the ledger was replaced; this process must be started again")
        }
        let (head, states) = try await ledger.states(of: names)
        let version = SnapshotVersion(
            source: .ledger, epoch: head.epoch, seq: head.seq, catalogue: head.catalogueVersion, asOf: Timestamp.now())
        return (version, states.map { $0 ?? CounterState(sold: nil, cap: nil, isActive: true) })
    }

    /// Reveals no host or file names, because shoppers may see the text.
    private func unavailable(_ error: any Error) -> AvailabilityUnavailable {
        if let error = error as? AvailabilityUnavailable { return error }
        if let fault = error as? CounterFault { return AvailabilityUnavailable(description: Self.words(for: fault)) }
        logger.debug("availability cannot be read", metadata: ["error": "\(error)"])
        return AvailabilityUnavailable(description: "the counters cannot be reached")
    }

    private static func words(for fault: CounterFault) -> String {
        switch fault {
        case .notInstalled: "no counters are installed; a consumer installs them"
        case .otherLedger: "the counters belong to another ledger"
        case .behind: "the counters are behind the ledger; a consumer installs them again"
        case .changing: "the counters are being installed again"
        }
    }
}
