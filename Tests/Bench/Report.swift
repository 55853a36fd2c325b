import Foundation

/// All results of a run, as written to the JSON file.
struct Report: Sendable, Encodable {
    var machine: Machine
    var scale: Scale
    var seconds: Double
    /// Milliseconds until a write of 4 KiB is on the disk, before each group of rows: everything durable waits for such
    /// writes, ours and PostgreSQL's, and the speed of a shared disk changes by the minute.
    var flush: Samples
    var rows: [Row]
    /// Inputs that were missing because only some machines have them.
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
                "writing the results failed: on \(path): \(error). Name a file that can be written with --json.")
        }
    }
}
