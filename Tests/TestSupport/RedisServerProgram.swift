import Foundation

/// A program that serves as Redis in tests.
package struct RedisServerProgram: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// A path, or a name to look for in `PATH`.
    package let executable: String

    /// Debian's.
    package static let system = RedisServerProgram(description: "redis", executable: "redis-server")
    /// A current Valkey, and Redis 8: `scripts/servers/fetch` puts them there.
    package static let valkey = RedisServerProgram(description: "valkey", executable: fetched("valkey/valkey-server"))
    package static let redis8 = RedisServerProgram(description: "redis8", executable: fetched("redis8/redis-server"))

    package static let all = [system, valkey, redis8]
    /// Those that tests can run on here.
    package static let present = all.filter(\.isPresent)
    package static let absent = all.filter { !$0.isPresent }

    /// On which tests run that do not say: Debian's, unless the environment names another one or a path.
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
