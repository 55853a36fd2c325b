import Concurrency
import Ledger
import Logging
import RedisClient

/// Retries calls to Redis and the ledger while these are unavailable, until a stop is requested.
package struct Retrier: Sendable {
    package let stop: StopSignal
    package let logger: Logger

    package init(stop: StopSignal, logger: Logger) {
        self.stop = stop
        self.logger = logger
    }

    /// Returns the result of `body` once Redis is available. Retries after transient error replies and failed
    /// connection attempts.
    ///
    /// - Parameters:
    ///   - action: what `body` does, for the log.
    ///   - retriesInDoubt: whether to retry a command that may have been executed. Otherwise only a new epoch resolves
    ///     the doubt (`EpochReason`).
    /// - Throws: `EpochReason`; `StopSignal.Stopped`; errors that waiting does not resolve.
    func redis<T: Sendable>(
        _ action: String, retriesInDoubt: Bool = false, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var failures = 0
        var reported: String?
        while true {
            do {
                return try await body()
            } catch {
                switch RedisErrorClass(error) {
                case .doubt where !retriesInDoubt: throw EpochReason(.outage, "\(action): \(error)")
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

    /// Returns the result of `body`. Retries while the ledger is locked or its disk is full.
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
