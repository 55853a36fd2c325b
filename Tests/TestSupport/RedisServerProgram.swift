import Foundation

/// A program that serves as Redis in tests.
package struct RedisServerProgram: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// A path, or a name that is looked up in `PATH`.
    package let executable: String

    /// Debian's Redis.
    package static let system = RedisServerProgram(description: "redis", executable: "redis-server")
    /// A current Valkey, and Redis 8; `scripts/servers/fetch` installs them.
    package static let valkey = RedisServerProgram(description: "valkey", executable: fetched("valkey/valkey-server"))
    package static let redis8 = RedisServerProgram(description: "redis8", executable: fetched("redis8/redis-server"))

    package static let all = [system, valkey, redis8]
    /// The programs that are installed on this machine.
    package static let present = all.filter(\.isPresent)
    package static let absent = all.filter { !$0.isPresent }

    /// The program for tests that do not choose one: Debian's, unless the environment names another one or a path.
    package static let chosen: RedisServerProgram = {
        guard let name = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SERVER"], !name.isEmpty else {
            return system
        }
        return all.first { $0.description == name } ?? RedisServerProgram(description: name, executable: name)
    }()

    private var isPresent: Bool {
        !executable.hasPrefix("/") || FileManager.default.isExecutableFile(atPath: executable)
    }

    private static func fetched(_ path: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../.build-tools/servers/\(path)").standardizedFileURL.path
    }
}
