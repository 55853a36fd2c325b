import Counters
import Domain
import Ledger
import Logging
import RedisClient

/// Where figures come from and which state of the store they are.
package struct SnapshotVersion: Sendable, Equatable {
    package enum Source: String, Sendable {
        case redis
        case ledger
    }

    package var source: Source
    package var epoch: Int64
    /// The figures are those after this change of the counters, or newer.
    package var seq: Int64
    /// The catalogue the counters belong to.
    package var catalogue: Int64
    /// RFC 3339, UTC.
    package var asOf: String

    package init(source: Source, epoch: Int64, seq: Int64, catalogue: Int64, asOf: String) {
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.catalogue = catalogue
        self.asOf = asOf
    }

    /// Whether two moments have the same figures.
    func isSameState(as other: SnapshotVersion) -> Bool {
        source == other.source && epoch == other.epoch && seq == other.seq && catalogue == other.catalogue
    }
}

/// Why there are no figures now. It passes by itself, or is reported to an operator elsewhere.
struct AvailabilityUnavailable: Error, CustomStringConvertible {
    var description: String
}

/// Reads figures: from Redis, and where that cannot be and it is allowed, from the ledger.
struct AvailabilitySource: Sendable {
    let counters: CounterReader
    let ledger: any LedgerQueries
    let watch: LedgerWatch
    /// Whether the ledger's figures do when Redis' cannot be had. They are behind by what is being recorded.
    let fallsBackToLedger: Bool
    let logger: Logger

    /// The state of the store, and of the named counters. Those of one product, which stand together, are of one state.
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
        // Taken before the counters are read: it says how far they must be.
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

    /// Without names of hosts and files: shoppers may read it.
    private func unavailable(_ error: any Error) -> AvailabilityUnavailable {
        if let error = error as? AvailabilityUnavailable { return error }
        if let fault = error as? CounterFault { return AvailabilityUnavailable(description: Self.words(for: fault)) }
        logger.debug("figures cannot be read", metadata: ["error": "\(error)"])
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
