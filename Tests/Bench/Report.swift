import Foundation

/// All that a run has found, as it is written to the JSON file.
struct Report: Sendable, Encodable {
    var machine: Machine
    var scale: Scale
    var seconds: Double
    /// Milliseconds that a write of 4 KiB takes until it is on the disk, before each group of rows: everything durable
    /// waits for such writes, ours and PostgreSQL's, and a disk that others share changes by the minute.
    var flush: Samples
    var rows: [Row]
    /// What only some machines have was not there.
    var leftOut: [String]
    var failed: [String]

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do {
            try encoder.encode(self).write(to: URL(fileURLWithPath: path))
        } catch {
            throw BenchError(
                "writing the figures failed: on \(path): \(error). Name a file that can be written with --json.")
        }
    }
}
