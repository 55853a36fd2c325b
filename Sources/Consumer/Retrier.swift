import Concurrency
import Ledger
import Logging
import RedisClient

/// Waits for Redis and for the ledger while they are unavailable, but not past a stop.
package struct Retrier: Sendable {
    package let stop: StopSignal
    package let logger: Logger

    package init(stop: StopSignal, logger: Logger) {
        self.stop = stop
        self.logger = logger
    }

    /// The result of `body`, once Redis answers. Transient error replies and failed connection attempts are retried.
    ///
    /// - Parameters:
    ///   - action: what is done, for the log.
    ///   - doubtIsHarmless: whether a command that may have been executed is repeated, too. Otherwise only a new epoch
    ///     resolves the doubt (`EpochReason`).
    /// - Throws: `EpochReason`; `StopSignal.Stopped`; errors that waiting does not resolve.
    func redis<T: Sendable>(
        _ action: String, doubtIsHarmless: Bool = false, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var failures = 0
        var reported: String?
        while true {
            do {
                return try await body()
            } catch {
                switch RedisErrorClass(error) {
                case .doubt where !doubtIsHarmless: throw EpochReason(.outage, "\(action): \(error)")
                case .fatal: throw error
                case .wait, .doubt:
                    // Failed connection attempts are already in the log.
                    if RedisErrorClass.isReply(error), reported != "\(error)" {
                        reported = "\(error)"
                        logger.warning("waiting for Redis", metadata: ["for": "\(action)", "error": "\(error)"])
                    }
                    failures += 1
                    try await stop.pause(Backoff.ofCommands.delay(afterFailures: failures))
                }
            }
        }
    }

    /// The result of `body`, once the ledger is not locked and its disk not full.
    /// - Throws: `LedgerError` that is not transient; `StopSignal.Stopped`.
    package func ledger<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        var failures = 0
        var reported: String?
        while true {
            do {
                return try await body()
            } catch let error as any LedgerError where error.isTransient {
                if reported != "\(error)" {
                    reported = "\(error)"
                    logger.warning("waiting for the ledger", metadata: ["error": "\(error)"])
                }
                failures += 1
                try await stop.pause(Backoff.ofCommands.delay(afterFailures: failures))
            }
        }
    }
}
