import Foundation

/// All results of a run, as written to the JSON file.
struct Report: Sendable, Encodable {
    var machine: Machine
    var scale: Scale
    var seconds: Double
    /// Milliseconds that a durable 4 KiB write takes, measured before each group of rows: Stocktake and PostgreSQL both
    /// wait for durable writes, and the speed of a shared disk changes by the minute.
    var flush: Samples
    var rows: [Row]
    /// Inputs that this machine lacks; only some machines have them.
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
                "writing the results failed: on \(path): \(error). Pass a writable file to --json.")
        }
    }
}
