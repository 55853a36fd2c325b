import Counters
import Ingest
import Domain
import Ledger

/// Once a second, takes a snapshot of the ledger and Redis, for comparison with their expected states, and does their
/// upkeep.
struct WatchStage: Sendable {
    let ledger: any LedgerStore
    let gate: any Gate
    let server: ServerCheck
    let trimmer: StreamTrimmer
    let retrier: Retrier

    /// Takes a snapshot of the ledger and Redis.
    /// - Parameter epoch: the open epoch.
    /// - Throws: `LedgerError`; errors that waiting does not resolve.
    func check(in epoch: Int64) async throws -> WatchReport {
        try await ledger.requireInPlace()
        let head = try await retrier.ledger { [ledger] in try await ledger.head() }
        // These run concurrently: each costs a round trip, during which nothing is decided.
        async let isFull = try? gate.isFull()
        async let pending = try? gate.pending()
        var found: CounterHead?
        do {
            found = try await gate.head()
        } catch {
            if case .fatal = RedisErrorClass(error) { throw error }
        }
        return WatchReport(
            epoch: epoch, ledger: head, counters: found, pending: await pending, isRedisFull: await isFull)
    }

    /// - Parameter isRedisFull: whether Redis refuses writes for lack of memory; `nil` if unknown. An unavailable Redis
    ///   is reported by the stages that need it.
    /// - Returns: the dead letters that must be published again.
    func upkeep(isRedisFull: Bool?) async throws -> [RequestedReplay] {
        if let isRedisFull { await trimmer.noteMemory(isFull: isRedisFull) }
        await server.compareConnections()
        do {
            _ = try await ledger.completeErasure()
        } catch let error as any LedgerError where error.isTransient {
            // The erasure is still due. A disk that stays full must not delay the rest.
        }
        return try await retrier.ledger { [ledger] in try await ledger.requestedReplays(limit: Replays.limit) }
    }
}
