import Foundation
import RedisClient

/// A user that `config/redis.conf` proposes in a comment.
package struct ShippedUser: Sendable {
    package let name: String
    /// The arguments of `ACL SETUSER`, including the password.
    private let rules: [String]

    /// The users that consume; that publish and wait for outcomes; that read availability.
    package static let consumer = ShippedUser("stocktake")
    package static let publisher = ShippedUser("publisher")
    package static let shop = ShippedUser("shop")

    private init(_ name: String) {
        self.name = name
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../config/redis.conf")
        let lines = ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
        rules =
            lines.first { $0.hasPrefix("# user \(name) ") }?.split(separator: " ").dropFirst(3).map(String.init) ?? []
    }

    /// The user's permissions, each as a separate rule: `+xadd`, `~keys`, `&channels`.
    package var rights: [String] { rules.filter { "+~&".contains($0.prefix(1)) } }

    /// Creates the user on a server.
    package func add(to server: TestRedisServer, with more: [String] = []) async throws {
        guard !rules.isEmpty else { throw TestSupportError("config/redis.conf has no user \(name)") }
        try await server.command("ACL", ["SETUSER", name] + rules + more)
    }

    package func take(_ right: String, on server: TestRedisServer) async throws {
        let rule =
            switch right.prefix(1) {
            case "~": "resetkeys"
            case "&": "resetchannels"
            default: "-" + right.dropFirst()
            }
        try await server.command("ACL", ["SETUSER", name, rule])
    }

    package func give(_ right: String, on server: TestRedisServer) async throws {
        try await server.command("ACL", ["SETUSER", name, right])
    }

    /// Returns the address of a server with this user's credentials, as a setting.
    package func address(of server: TestRedisServer, database: Int = 0) -> String {
        "unix://\(server.socketPath)?db=\(database)&user=\(name)&password=PASSWORD"
    }

    package func client(of server: TestRedisServer) throws -> RedisClient {
        RedisClient(url: try RedisURL(address(of: server)), logger: silentLogger)
    }
}
