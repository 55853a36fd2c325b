import Counters
import Domain
import Ledger

/// Deletes a ledger and, unless they are kept, the counters that were installed from it.
package struct StoreRemoval: Sendable {
    private let access: StoreAccess

    package init(_ access: StoreAccess) { self.access = access }

    /// The lease is held from before `confirm` to the end, so that exactly the confirmed ledger is deleted.
    ///
    /// - Parameters:
    ///   - keepsCounters: leave Redis as it is.
    ///   - confirm: receives the number of orders in the ledger; if false, nothing changes.
    /// - Returns: whether it was confirmed.
    /// - Throws: `LedgerError` (of kind `inUse` if another process has the ledger open); `RedisError`;
    ///   `CountersError`; `OperationError`.
    package func run(keepsCounters: Bool, confirm: (Int) -> Bool) async throws -> Bool {
        // Checked before the lease is acquired, which would leave a lock or a note for a ledger that does not exist.
        try await access.ledger.requireExistence()
        let lease = try await access.ledger.takeLease(for: "dropping")
        defer { withExtendedLifetime(lease) {} }
        let ledger = try await access.ledger.openReader(access.store)
        let identity = ledger.identity
        let isConfirmed: Bool
        do {
            isConfirmed = confirm(try await ledger.orderCount())
        } catch {
            try? ledger.close()
            throw error
        }
        try ledger.close()
        guard isConfirmed else { return false }
        // A process that only reads holds no lease.
        try await access.ledger.requireUnused()
        // The counters are removed first: every start handles a ledger without counters, but counters without their
        // ledger stop a consumer.
        if !keepsCounters {
            try await access.withRedis { client in
                if let client { try await CounterRemoval(access.keys, client).removeCounters(of: identity) }
            }
        }
        try await access.ledger.drop()
        await lease.note(LedgerSoundness?.none)
        return true
    }
}
