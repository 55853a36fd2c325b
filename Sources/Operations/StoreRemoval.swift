import Consumer
import Counters
import Inventory
import Ledger
import RedisClient

/// Deletes a ledger and, unless they are to stay, the counters that were installed from it.
package struct StoreRemoval: Sendable {
    private let access: StoreAccess

    package init(_ access: StoreAccess) { self.access = access }

    /// - Parameters:
    ///   - identity: the ledger's; counters of another ledger are left alone.
    ///   - keepsCounters: leave Redis as it is.
    /// - Throws: `LedgerError` (`inUse` where another process has the ledger open); `RedisError`; `CountersError`;
    ///   `OperationError`.
    package func run(identity: String, keepsCounters: Bool) async throws {
        let lock = try access.lock(for: "dropping")
        defer { withExtendedLifetime(lock) {} }
        // A process that only reads holds no lock.
        try await LedgerDatabase.refuseIfInUse(access.ledger)
        // The counters first: every start handles a ledger without counters; counters without their ledger stop a
        // consumer.
        if !keepsCounters { try await removeCounters(of: identity) }
        try await LedgerDatabase.drop(at: access.ledger)
        lock.note(LedgerSoundness?.none)
    }

    private func removeCounters(of identity: String) async throws {
        _ = try await access.withRedis { client in
            let head = try await CounterHead.read(access.keys, client)
            if head.ledger == identity {
                _ = try await client.send(RedisCommand("UNLINK", access.keys.stock, access.keys.intake))
            }
        }
    }
}
