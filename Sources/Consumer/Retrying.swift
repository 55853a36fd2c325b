import Ledger
import Logging
import RedisClient

/// Waits for Redis and for the ledger while they are away, but not past a stop.
package struct Retrying: Sendable {
    package let stop: StopSignal
    package let logger: Logger

    package init(stop: StopSignal, logger: Logger) {
        self.stop = stop
        self.logger = logger
    }

    /// What `body` gives once Redis answers. Replies that say "not now" and connections that cannot be made are waited
    /// for.
    ///
    /// - Parameters:
    ///   - action: what is done, for the log.
    ///   - doubtIsHarmless: repeat also what may have been executed. Otherwise only a new epoch settles it
    ///     (`EpochNeeded`).
    /// - Throws: `EpochNeeded`; `StopSignal.Stopped`; what waiting does not help.
    func redis<T: Sendable>(
        _ action: String, doubtIsHarmless: Bool = false, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var backoff = Backoff()
        var reported: String?
        while true {
            do {
                return try await body()
            } catch {
                switch RedisTrouble(error) {
                case .doubt where !doubtIsHarmless: throw EpochNeeded(.outage, "\(action): \(error)")
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
    /// - Throws: `LedgerError` that does not pass; `StopSignal.Stopped`.
    package func ledger<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
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
}
