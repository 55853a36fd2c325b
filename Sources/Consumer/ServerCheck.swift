import Intake
import Logging
import RedisClient

/// Checks that the server is recent and configured safely, and that both connections lead to the same server.
actor ServerCheck {
    private let redis: RedisClient
    private let reader: StreamReader
    private let retrying: Retrying
    /// The connections that were found to lead to one server.
    private var comparedConnections: (reading: Int, deciding: Int)?

    init(redis: RedisClient, reader: StreamReader, retrying: Retrying) {
        self.redis = redis
        self.reader = reader
        self.retrying = retrying
    }

    /// Refuses a Redis that is too old for scripts with `#!lua`; warns about settings under which it loses messages.
    func check() async throws {
        let reply = try await retrying.redis("asking for the server's version", doubtIsHarmless: true) { [redis] in
            try await redis.send(RedisCommand("INFO"))
        }
        let info = reply.info
        if let version = info["redis_version"], let major = Int(version.prefix { $0 != "." }),
            major < ConsumerSettings.oldestServer
        {
            throw ConsumerError.serverTooOld(redis: redis.url.redacted, version: version)
        }
        if let policy = info["maxmemory_policy"], policy != "noeviction" {
            retrying.logger.warning(
                "Redis may evict messages that nobody has read: set maxmemory-policy to noeviction",
                metadata: ["policy": "\(policy)"])
        }
        if info["aof_enabled"] == "0" {
            retrying.logger.warning("Redis has no append-only file: a restart forgets messages that nobody has read")
        }
    }

    /// Called once a second: messages must be read from and acknowledged to the same server. After a failover by name
    /// one of the two connections may have moved to another server while the other one did not notice.
    func compareConnections() async {
        guard let read = await reader.server else { return }
        let connections = (reading: read.connection, deciding: redis.generation)
        if comparedConnections.map({ $0 == connections }) ?? false { return }
        guard let info = try? await redis.send(RedisCommand("INFO", "server")).info, let server = info["run_id"] else {
            return
        }
        comparedConnections = connections
        if server == read.id { return }
        retrying.logger.warning(
            "the two connections to redis lead to different servers; connecting again",
            metadata: ["reading": "\(read.id)", "deciding": "\(server)"])
        redis.reconnect(because: "the other connection leads to another server")
        await reader.reconnect(because: "the other connection leads to another server")
        comparedConnections = nil
    }
}
