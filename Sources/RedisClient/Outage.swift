import Concurrency
import Synchronization

/// Tracks failed attempts to reach a server, and when the next one is due.
///
/// All clients of a server share one, so that the first client which reaches it again ends the delay for all. Otherwise
/// some requests of a process would still fail for seconds after others succeed.
final class Outage: Sendable {
    struct Failure: Sendable {
        /// The error of the last attempt.
        var error: any Error
        /// Consecutive failures. Concurrent attempts count as one.
        var count: Int
        /// When the last of these failures was reported.
        var knownAt: ContinuousClock.Instant
        var retryAt: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var failure: Failure?
        /// When the server was last reached.
        var reachedAt: ContinuousClock.Instant?
        /// The kind of failure that was last reported, so that repetitions are not logged.
        var reported: String?
    }

    private let delay: Backoff
    private let state = Mutex(State())

    init(delay: Backoff) { self.delay = delay }

    /// The last failed attempt; nil if the server has been reached since, or if there was no attempt.
    var failure: Failure? { state.withLock { $0.failure } }

    /// The error of the last attempt while the delay before the next one lasts.
    func error(at now: ContinuousClock.Instant) -> (any Error)? {
        failure.flatMap { now < $0.retryAt ? $0.error : nil }
    }

    /// Records a failed attempt. One that began before the server was last reached is ignored.
    /// - Returns: whether it failed in a different way from the previous attempt.
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

    /// Records a successful attempt.
    func end(at now: ContinuousClock.Instant) { state.withLock { $0 = State(reachedAt: now) } }
}
