/// Growing waits between attempts: 50 ms, doubled up to 2 s, with up to a quarter more at random so that many waiting
/// processes do not retry in step.
struct Backoff {
    private var attempt = 0

    mutating func delay() -> Duration {
        defer { attempt += 1 }
        return Self.delay(beforeAttempt: attempt)
    }

    /// - Parameter attempt: counted from 0.
    static func delay(beforeAttempt attempt: Int) -> Duration {
        let delay = min(Duration.milliseconds(50) * (1 << min(attempt, 6)), .seconds(2))
        return delay + delay * Double.random(in: 0...0.25)
    }
}
