import Foundation
import GRDB
import TestSupport

/// The machine and the software versions of a measurement.
struct Machine: Sendable, Encodable {
    var cores: Int
    var processor: String
    var memoryBytes: UInt64
    var kernel: String
    var folder: String
    var fileSystem: String
    var build: String
    var redis: String
    var sqlite: String
    /// Empty if the run did not need it.
    var postgres = ""
    var webdis = ""

    static func describe(_ workshop: Workshop) async throws -> Machine {
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "unknown"
        let redis = try await workshop.output("redis-server", ["--version"])
        let sqlite = try await DatabaseQueue().read { db in
            try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "unknown"
        }
        var machine = Machine(
            cores: ProcessInfo.processInfo.activeProcessorCount, processor: processor ?? "unknown",
            memoryBytes: ProcessInfo.processInfo.physicalMemory,
            kernel: kernel.trimmingCharacters(in: .whitespacesAndNewlines), folder: workshop.folder.path,
            fileSystem: workshop.fileSystem, build: "release, without TLS", redis: word(after: "v=", in: redis),
            sqlite: sqlite)
        if let postgres = ForeignProgram.postgres.path {
            machine.postgres = word(after: "(PostgreSQL) ", in: try await workshop.output(postgres, ["--version"]))
        }
        // webdis itself does not report it: asked for its version, it starts.
        if ForeignProgram.webdis.path != nil,
            let version = try? await workshop.output("dpkg-query", ["-W", "-f", "${Version}", "webdis"])
        {
            machine.webdis = version
        }
        return machine
    }

    static var isDebugBuild: Bool {
        #if DEBUG
            true
        #else
            false
        #endif
    }

    private static func word(after mark: String, in text: String) -> String {
        guard let range = text.range(of: mark) else { return text.trimmingCharacters(in: .whitespacesAndNewlines) }
        return String(text[range.upperBound...].prefix { !$0.isWhitespace })
    }
}
