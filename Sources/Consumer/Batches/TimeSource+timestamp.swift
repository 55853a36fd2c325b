import Concurrency
import Domain

extension TimeSource {
    /// The wall-clock time as text, RFC 3339, UTC.
    var timestamp: String { Timestamp.text(milliseconds: milliseconds) }
}
