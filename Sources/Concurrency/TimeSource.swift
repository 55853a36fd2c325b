/// A clock that can be read and slept on: the system's or a simulated one.
package protocol TimeSource: Sendable {
    /// The monotonic time.
    var now: ContinuousClock.Instant { get }
    /// The wall-clock time in milliseconds since 1970. It may be set back.
    var milliseconds: Int64 { get }

    /// Sleeps for `duration`.
    /// - Throws: `CancellationError`.
    func sleep(for duration: Duration) async throws
}
