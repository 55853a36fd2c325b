import Inventory

/// Time, as the consumer reads and waits for it: the system's, or a simulation's.
package protocol ConsumerClock: Sendable {
    /// By a clock that only goes forward.
    var now: ContinuousClock.Instant { get }
    /// By the clock that is shown to people: milliseconds since 1970. It may be set.
    var milliseconds: Int64 { get }

    /// Errors: `CancellationError`.
    func sleep(for duration: Duration) async throws
}

extension ConsumerClock {
    /// The time for people, RFC 3339, UTC.
    var timestamp: String { Timestamp.text(milliseconds: milliseconds) }
}

package struct SystemClock: ConsumerClock {
    package init() {}

    package var now: ContinuousClock.Instant { .now }

    package var milliseconds: Int64 { Timestamp.milliseconds() }

    package func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
