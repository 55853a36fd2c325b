/// Name and version of a server, from its reply to INFO.
package struct ServerVersion: Sendable, CustomStringConvertible {
    /// The version of Redis that it is, or that a fork is compatible with: Valkey 9 reports 7.2.4.
    package let redis: String
    /// For people: `Redis 7.0.15`, `Valkey 9.1.2`.
    package let description: String

    /// nil if it names no version.
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
