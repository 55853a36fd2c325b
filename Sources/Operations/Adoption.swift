import Counters
import Domain
import Ledger
import RedisClient

/// Makes the counters in Redis follow a ledger that was restored or manually replaced.
package struct Adoption: Sendable {
    private let access: StoreAccess

    package init(_ access: StoreAccess) { self.access = access }

    /// Every step is idempotent: after an interruption, adopt again.
    ///
    /// - Parameter confirm: receives the counters' head and the highest seq of the ledger; if false, nothing changes.
    /// - Returns: whether it was confirmed. Also true if a private Redis has never run: there is nothing to change.
    /// - Throws: `LedgerError` (of kind `inUse` if a consumer is active); `RedisError`; `CountersError`;
    ///   `OperationError`.
    package func run(confirm: (CounterHead, Int64) -> Bool) async throws -> Bool {
        let lease = try await access.ledger.takeLease(for: "adopting")
        defer { withExtendedLifetime(lease) {} }
        let ledger = try await access.ledger.openAdmin(access.store)
        defer { try? ledger.close() }
        let seq = try await ledger.head().seq
        return try await access.withRedis { client in
            guard let client else { return true }
            let head = try await CounterHead.read(access.keys, client)
            guard confirm(head, seq) else { return false }
            try await ledger.raiseEpoch(above: head.epoch ?? 0, by: access.by)
            try await CounterRemoval(access.keys, client).startOver()
            return true
        }
    }
}
