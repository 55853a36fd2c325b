import Intake
import Inventory
import Logging
import RedisClient

/// What Redis is at the other end: whether it will do, and whether it is one.
extension ActiveConsumer {
    /// Refuses a Redis that is too old for scripts with `#!lua`; warns of settings under which it forgets messages.
    func checkServer() async throws {
        try await waitForRedis()
        let reply = try await untilRedisAnswers("asking for the server's version", doubtIsHarmless: true) { [redis] in
            try await redis.send(RedisCommand("INFO"))
        }
        let info = reply.info
        if let version = info["redis_version"], let major = Int(version.prefix { $0 != "." }),
            major < ConsumerSettings.oldestServer
        {
            throw ConsumerError.serverTooOld(redis: redis.url.redacted, version: version)
        }
        if let policy = info["maxmemory_policy"], policy != "noeviction" {
            logger.warning(
                "Redis may evict messages that nobody has read: set maxmemory-policy to noeviction",
                metadata: ["policy": "\(policy)"])
        }
        if info["aof_enabled"] == "0" {
            logger.warning("Redis has no append-only file: a restart forgets messages that nobody has read")
        }
    }

    /// Once a second: what is read and what is acknowledged must be of one server. After a failover by name one of the
    /// two connections may have moved to another server while the other one did not notice.
    func lookWhetherOneServer() async {
        guard let read = await reader.server else { return }
        let connections = (reading: read.connection, deciding: redis.generation)
        if comparedConnections.map({ $0 == connections }) ?? false { return }
        guard let info = try? await redis.send(RedisCommand("INFO", "server")).info, let server = info["run_id"] else {
            return
        }
        comparedConnections = connections
        if server == read.id { return }
        logger.warning(
            "the two connections to redis lead to different servers; connecting again",
            metadata: ["reading": "\(read.id)", "deciding": "\(server)"])
        redis.reconnect(because: "the other connection leads to another server")
        await reader.reconnect(because: "the other connection leads to another server")
        comparedConnections = nil
    }

    /// Once a second: entries that are pending but were lost on their way to this process are claimed.
    func lookForStrayEntries(_ pending: PendingSummary) {
        // A read that takes long may be bringing it.
        if let readStart, .now - readStart > settings.block + .seconds(1) { return }
        let isStray = strays.look(pending: pending.lowest, memory: lowestInMemory, at: .now)
        guard isStray, let lowest = pending.lowest else { return }
        logger.notice(
            "an entry is pending that this process does not hold; claiming what is pending",
            metadata: ["entry": "\(lowest.text)"])
        claimPending()
    }

    /// The first entry of those that are in memory and not acknowledged: batches go on in the order of the stream.
    private var lowestInMemory: EntryPosition? {
        let id =
            settling.first?.settlement.entries.first ?? recording?.batch.entries.first?.entry.id
            ?? decided?.entries.first?.entry.id ?? queue.first?.id ?? undecoded.first?.id
        return id.flatMap { EntryPosition($0) }
    }
}
