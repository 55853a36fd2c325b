import Counters
import Domain
import Ledger
import RedisClient

/// Makes a ledger the one that Redis' counters follow, after it was restored or replaced by hand.
package struct Adoption: Sendable {
    private let access: StoreAccess

    package init(_ access: StoreAccess) { self.access = access }

    /// Each step may be repeated: after an interruption, adopt again.
    ///
    /// - Parameter confirm: receives the counters' head and the highest seq of the ledger; false changes nothing.
    /// - Returns: whether it was confirmed. True also where a private Redis has never run: there is nothing to change.
    /// - Throws: `LedgerError` (of kind `inUse` where a consumer is active); `RedisError`; `CountersError`;
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
