import Domain
import Logging

/// Logs lines for people and for `grep` to standard error: time, level, message, metadata. Logging never blocks on a
/// reader.
///
///     2026-11-22T10:00:00.000Z warning  waiting for Redis: error=…, for=deciding a batch
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    /// The length of the longest name of a level.
    private static let levelWidth = 8

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let details = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let level = event.level.rawValue
        let padding = String(repeating: " ", count: Self.levelWidth - level.count)
        let text = details.isEmpty ? "\(event.message)" : "\(event.message): \(details)"
        // Escaped, so that an id or a server's reply cannot break the line.
        LineWriter.standardError.write("\(Timestamp.now()) \(level)\(padding) \(text.printable)")
    }
}
