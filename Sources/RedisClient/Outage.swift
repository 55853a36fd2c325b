import Concurrency
import Synchronization

/// What is known of a server that could not be reached: when it may be tried again.
///
/// Clients of the same server share one, so that the first one which reaches it again ends the waiting of all. Otherwise
/// some requests of a process would still fail for seconds after others are answered.
final class Outage: Sendable {
    struct Failure: Sendable {
        /// What the last attempt failed with.
        var error: any Error
        /// In a row. Attempts made side by side count as one.
        var count: Int
        /// When the last of these was known.
        var knownAt: ContinuousClock.Instant
        var retryAt: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var failure: Failure?
        /// When the server was last reached.
        var reachedAt: ContinuousClock.Instant?
        /// The kind of failure that is already in the log.
        var reported: String?
    }

    private let delay: Backoff
    private let state = Mutex(State())

    init(delay: Backoff) { self.delay = delay }

    /// The last failed attempt; nil: the server has been reached since, or there was no attempt.
    var failure: Failure? { state.withLock { $0.failure } }

    /// The error of the last attempt while there should be no other one.
    func error(at now: ContinuousClock.Instant) -> (any Error)? {
        failure.flatMap { now < $0.retryAt ? $0.error : nil }
    }

    /// Notes that an attempt failed. One that began before the server was reached says nothing new.
    /// - Returns: whether it failed in another way than the one before.
    func failed(_ error: any Error, begun: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Bool {
        let kind = (error as? RedisError)?.kind ?? "\(error)"
        return state.withLock { state in
            if let reached = state.reachedAt, begun < reached { return false }
            if let known = state.failure, begun < known.knownAt {
                state.failure?.error = error
            } else {
                let count = (state.failure?.count ?? 0) + 1
                state.failure = Failure(
                    error: error, count: count, knownAt: now, retryAt: now + delay.delay(afterFailures: count))
            }
            defer { state.reported = kind }
            return state.reported != kind
        }
    }

    /// Notes that an attempt succeeded.
    func end(at now: ContinuousClock.Instant) { state.withLock { $0 = State(reachedAt: now) } }
}
