import Domain

/// The clock that the consumer reads and sleeps by: the system's, or a simulation's.
package protocol ConsumerClock: Sendable {
    /// Monotonic time.
    var now: ContinuousClock.Instant { get }
    /// Wall-clock time in milliseconds since 1970. It may be set back.
    var milliseconds: Int64 { get }

    /// Sleeps for `duration`. Errors: `CancellationError`.
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
