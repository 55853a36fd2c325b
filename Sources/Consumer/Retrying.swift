import Ledger
import Logging
import RedisClient

/// What `body` gives once Redis answers. Replies that say "not now" and connections that cannot be made are waited for.
///
/// - Parameters:
///   - action: what is done, for the log.
///   - doubtIsHarmless: repeat also what may have been executed. Else only a new epoch tells (`EpochNeeded`).
func retryingRedis<T: Sendable>(
    _ action: String, stop: StopSignal, logger: Logger, doubtIsHarmless: Bool,
    _ body: @Sendable () async throws -> T
) async throws -> T {
    var backoff = Backoff()
    var reported: String?
    while true {
        do {
            return try await body()
        } catch {
            switch RedisTrouble(error) {
            case .doubt where !doubtIsHarmless:
                throw ActiveConsumer.EpochNeeded(reason: "\(action): \(error)", isOutage: true)
            case .fatal: throw error
            case .wait, .doubt:
                // Connections that cannot be made are in the log already.
                if RedisTrouble.isReply(error), reported != "\(error)" {
                    reported = "\(error)"
                    logger.warning("waiting for Redis", metadata: ["for": "\(action)", "error": "\(error)"])
                }
                try await stop.pause(backoff.delay())
            }
        }
    }
}

/// What `body` gives once the ledger is not locked and its disk not full.
package func retryingLedger<T: Sendable>(
    stop: StopSignal, logger: Logger, _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    var backoff = Backoff()
    var reported: LedgerError?
    while true {
        do {
            return try await body()
        } catch let error as LedgerError where error.isTransient {
            if reported != error {
                reported = error
                logger.warning("waiting for the ledger", metadata: ["error": "\(error)"])
            }
            try await stop.pause(backoff.delay())
        }
    }
}
