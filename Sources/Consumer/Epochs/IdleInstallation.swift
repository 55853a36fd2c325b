import Counters
import Domain
import Ledger

/// Opens a new epoch while no consumer is active, as a consumer does when it starts, but without processing messages.
///
/// - Parameter lease: the store's lease, held so that no consumer decides in the meantime.
/// - Returns: the number of the epoch.
/// - Throws: errors of Redis, after which the call may be repeated; `ConsumerError.wrongLedger`.
@discardableResult
package func installCounters(
    from ledger: any EpochKeeper, into gate: any Gate, reason: String, holding lease: any Lease
) async throws -> Int64 {
    defer { withExtendedLifetime(lease) {} }
    try await gate.head().refuseWrongLedger(ledger, head: ledger.head(), redis: gate.name)
    let start = try await ledger.raiseEpoch(catalogueBefore: nil, reason: reason)
    switch try await gate.install(Installation(start)) {
    case .installed: return start.head.epoch
    case .refused(let objection): throw ConsumerError.wrongLedger(ledger: ledger.name, redis: gate.name, objection)
    }
}

extension Installation {
    init(_ start: EpochStart) {
        self.init(
            epoch: start.head.epoch, seq: start.head.seq, position: start.head.position,
            catalogueVersion: start.head.catalogueVersion, counters: start.counters)
    }
}

extension CounterHead {
    /// Throws if Redis is ahead of this ledger: the ledger was replaced, or has gone back in time.
    package func refuseWrongLedger(_ ledger: any OpenLedger, head: LedgerHead, redis: String) throws {
        guard let objection = objection(to: head, of: ledger.identity) else { return }
        throw ConsumerError.wrongLedger(ledger: ledger.name, redis: redis, objection)
    }
}
