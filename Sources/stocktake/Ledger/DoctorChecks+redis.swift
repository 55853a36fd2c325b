import Concurrency
import Counters
import Domain
import Ledger
import Monitoring
import RedisClient
import TextEncodings

/// Checks of versions, and of whether Redis keeps the data that it receives.
extension DoctorChecks {
    /// The oldest major version that supports everything the scripts use.
    private static let oldestRedis = 7
    /// The share of its memory limit that Redis may use, in percent.
    private static let memoryPercent: Int64 = 80

    mutating func checkVersionsAndRedis() async {
        add("stocktake", .ok, Version.text)
        add("hiredis", .ok, HiredisVersion.text)
        await reachRedis()
        let (settings, client) = (settings, client)
        await askRedis("redis scripts") {
            _ = try await CounterReader(keys: settings.keys, client: client).snapshot([])
            return (.ok, "allowed")
        }
        checkPersistence()
        await askRedis("redis appendfsync") {
            guard
                let value = try await client.send(RedisCommand("CONFIG GET", "appendfsync")).fields["appendfsync"]?
                    .string
            else { return (.unknown, "Redis does not report it") }
            return value == "always"
                ? (.ok, value)
                : (
                    .warn,
                    "\(value): a crash of Redis may lose published messages that have not been read. Set it to always"
                )
        }
        checkMemory()
        await askRedis("clock") {
            let before = SystemClock.milliseconds()
            guard let time = try await RedisClock.read(client) else { return (.unknown, "Redis does not report it") }
            let apart = abs(time - (before + SystemClock.milliseconds()) / 2)
            return .milliseconds(apart) <= Timestamp.clockTolerance
                ? (.ok, "\(apart) ms between this machine and Redis")
                : (
                    .warn,
                    "\(apart.grouped) ms between this machine and Redis: decision times are wrong by that much"
                )
        }
    }

    private mutating func reachRedis() async {
        let name = settings.redis.redacted
        do {
            info = try await client.send(RedisCommand("INFO")).info
            isRedisReachable = true
        } catch RedisError.reply(let error, _) where error.code == "NOPERM" {
            isRedisReachable = true
            return add("redis", .unknown, "\(name): reachable, but this user may not use INFO")
        } catch {
            return add("redis", .bad, explained(error))
        }
        let server = info.flatMap { ServerVersion(info: $0) }
        let version = server?.description ?? "unknown version"
        let role = info?["role"] ?? ""
        if Self.isBefore(server?.redis ?? "", [Self.oldestRedis]) {
            add("redis", .bad, "\(name): \(version) is too old. Update it to 7.0 or later")
        } else if role != "master" {
            add("redis", .bad, "\(name): \(version), role \(role). Name the primary")
        } else if info?["loading"] == "1" {
            add("redis", .warn, "\(name): \(version), still loading its data")
        } else {
            add("redis", .ok, "\(name): \(version), primary")
        }
    }

    private mutating func checkPersistence() {
        let name = "redis append only"
        guard let info else { return add(name, .unknown, "Redis does not report it") }
        if info["aof_enabled"] != "1" {
            add(name, .warn, "off: a restart of Redis loses unread messages. Set appendonly to yes")
        } else if let status = info["aof_last_write_status"], status != "ok" {
            add(name, .bad, "on, but the last write failed (\(status)). Check the log and the disk of Redis")
        } else if let status = info["aof_last_bgrewrite_status"], status != "ok" {
            add(name, .warn, "on, but the last rewrite failed (\(status)): the file only grows. Check the log of Redis")
        } else {
            add(name, .ok, "on")
        }
    }

    private mutating func checkMemory() {
        guard let info, let used = info["used_memory"].flatMap({ Int64($0) }) else {
            add("redis eviction", .unknown, "Redis does not report it")
            return add("redis memory", .unknown, "Redis does not report it")
        }
        let policy = info["maxmemory_policy"] ?? ""
        add(
            "redis eviction", policy == "noeviction" ? .ok : .bad,
            policy == "noeviction"
                ? policy : "\(policy): may evict unread messages. Set maxmemory-policy to noeviction"
        )
        let limit = info["maxmemory"].flatMap { Int64($0) } ?? 0
        if limit == 0 {
            add("redis memory", .ok, "\(used.asBytes) used, no limit")
        } else {
            let isFull = used > limit / 100 * Self.memoryPercent
            add(
                "redis memory", isFull ? .warn : .ok,
                "\(used.asBytes) used of \(limit.asBytes)"
                    + (isFull
                        ? ": a full Redis accepts no messages. Raise maxmemory, or keep messages for less time" : ""))
        }
    }

    private static func isBefore(_ version: String, _ wanted: [Int]) -> Bool {
        let parts = version.split(separator: ".").map { Int($0.prefix(while: \.isNumber)) ?? 0 }
        return !parts.isEmpty && parts.lexicographicallyPrecedes(wanted)
    }
}
