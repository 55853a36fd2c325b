/// The delay before the next attempt. It doubles with every consecutive failure, from `initial` up to `maximum`.
package struct Backoff: Sendable, Equatable {
    package var initial: Duration
    package var maximum: Duration

    package init(initial: Duration = .milliseconds(50), maximum: Duration = .seconds(2)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The backoff for commands that are retried over a `RedisClient` with the default `reconnectDelay`. It is never
    /// shorter than the client's own delay after the same number of failures, during which the client fails every
    /// command without an attempt.
    package static let ofCommands = Backoff(initial: .milliseconds(100), maximum: .seconds(4))

    /// Returns a random delay between half and all of the nominal delay, so that clients that lost the same server do
    /// not retry in lockstep.
    /// - Parameter failures: the number of consecutive failures, at least 1.
    package func delay(afterFailures failures: Int) -> Duration {
        var nominal = min(initial, maximum)
        // Bounded, because an initial delay of zero never grows.
        for _ in 0..<min(max(failures - 1, 0), 64) { nominal = min(nominal * 2, maximum) }
        return nominal * Double.random(in: 0.5...1)
    }
}
