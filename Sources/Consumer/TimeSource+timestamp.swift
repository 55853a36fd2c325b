import Concurrency
import Domain

extension TimeSource {
    /// The time for people, RFC 3339, UTC.
    var timestamp: String { Timestamp.text(milliseconds: milliseconds) }
}
