import Foundation

/// A third party's program that is measured beside ours, or that measures ours.
enum ForeignProgram: String, CaseIterable {
    case postgres, webdis, wrk

    /// The program's path; `nil` if it is not installed.
    var path: String? {
        if self == .postgres { return Self.newestPostgresFolder.map { $0 + "/postgres" } }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(rawValue)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Debian keeps the server's programs in one folder per version, outside of PATH.
    static var newestPostgresFolder: String? {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
            .first { FileManager.default.isExecutableFile(atPath: $0 + "/postgres") }
    }
}
