/// Name and version of a server, from its reply to INFO.
package struct ServerVersion: Sendable, CustomStringConvertible {
    /// The version of Redis, or the one that a fork is compatible with: Valkey 9 reports 7.2.4.
    package let redis: String
    /// For display: `Redis 7.0.15`, `Valkey 9.1.2`.
    package let description: String

    /// nil if `info` contains no version.
    package init?(info: [String: String]) {
        guard let redis = info["redis_version"] else { return nil }
        self.redis = redis
        if let name = info["server_name"], name != "redis", let own = info["\(name)_version"] {
            description = "\(name.prefix(1).uppercased())\(name.dropFirst()) \(own)"
        } else {
            description = "Redis \(redis)"
        }
    }
}
