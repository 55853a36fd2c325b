import Counters
import Ingest
import Domain
import Ledger

/// Once a second, compares the ledger and Redis with their expected state, and does their upkeep.
struct WatchStage: Sendable {
    let ledger: any LedgerStore
    let gate: any Gate
    let server: ServerCheck
    let trimmer: StreamTrimmer
    let retrier: Retrier

    /// - Parameter epoch: the open epoch.
    /// - Throws: `LedgerError`; errors that waiting does not resolve.
    func look(in epoch: Int64) async throws -> WatchReport {
        try await ledger.requireInPlace()
        let head = try await retrier.ledger { [ledger] in try await ledger.head() }
        // Concurrently: each would cost a round trip, during which nothing is decided.
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

    /// - Parameter isRedisFull: nil: unknown; whatever keeps Redis from answering is reported where it is needed.
    /// - Returns: the dead letters that must be published again.
    func upkeep(isRedisFull: Bool?) async throws -> [RequestedReplay] {
        if let isRedisFull { await trimmer.noteMemory(isFull: isRedisFull) }
        await server.compareConnections()
        do {
            _ = try await ledger.completeErasure()
        } catch let error as any LedgerError where error.isTransient {
            // The erasure is still due. A disk that is full for long must not delay the rest.
        }
        return try await retrier.ledger { [ledger] in try await ledger.requestedReplays(limit: Replays.limit) }
    }
}
