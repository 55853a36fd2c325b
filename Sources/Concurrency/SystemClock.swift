import Glibc

package struct SystemClock: TimeSource {
    package init() {}

    package var now: ContinuousClock.Instant { .now }

    package var milliseconds: Int64 { Self.milliseconds() }

    package func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }

    /// Milliseconds since 1970 by the system's clock. The first number of a stream entry's id has the same unit.
    package static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec / 1_000_000)
    }
}
