import Glibc

/// Formats times as RFC 3339, UTC, with milliseconds. They are for people and reports; no rule of the protocol reads a
/// clock.
package enum Timestamp {
    /// The clock difference that is tolerated before it is reported. An id may also be ahead of a clock by this much,
    /// if the clock was read just before or after.
    package static let clockTolerance = Duration.seconds(2)

    package static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return text(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// Formats a time.
    /// - Parameter milliseconds: since 1970.
    package static func text(milliseconds: Int64) -> String {
        text(seconds: Int(milliseconds / 1_000), milliseconds: Int(milliseconds % 1_000))
    }

    package static func text(seconds: Int, milliseconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func pad(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        return """
            \(pad(parts.tm_year + 1900, 4))-\(pad(parts.tm_mon + 1, 2))-\(pad(parts.tm_mday, 2))T\
            \(pad(parts.tm_hour, 2)):\(pad(parts.tm_min, 2)):\(pad(parts.tm_sec, 2)).\(pad(milliseconds, 3))Z
            """
    }
}
