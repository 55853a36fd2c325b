import Domain
import RedisClient
import RedisLayout

extension CounterStore {
    /// Drops processed messages and outcomes that need not be kept, but no message that is unread or pending.
    package func trim(_ retention: Retention) async throws -> TrimReport {
        let reply = try await scripts.run(.trim, keys: [keys.checkouts, keys.outcomes]) { command in
            command.append(StoreKeys.group)
            command.append(Int64(retention.age / .milliseconds(1)))
            command.append(retention.olderThan ?? "")
            command.append(retention.messages)
            command.append(retention.limit)
            command.append(retention.outcomes.map(String.init) ?? "")
        }
        guard let parts = reply.array, parts.count == 6, let aged = parts[0].int, let excess = parts[1].int,
            let outcomes = parts[2].int, let time = parts[3].int, let last = parts[4].string,
            let acknowledged = parts[5].string
        else {
            throw CountersError.unexpectedReply(script: "trim", detail: "not three counts, a time and two ids")
        }
        return TrimReport(
            aged: aged, excess: excess, outcomes: outcomes, time: time, lastDelivered: last, acknowledged: acknowledged)
    }

    /// Returns the oldest message of the stream or, if the stream is empty, the last message that it contained.
    package func oldestMessage() async throws -> StreamID? {
        let extent = try await StreamExtent.read(keys, scripts.client)
        return extent?.first ?? extent?.last
    }

    /// Removes the group's consumers that have nothing pending, except `consumer`.
    /// - Returns: how many were removed.
    package func removeIdleConsumers(except consumer: String) async throws -> Int64 {
        let reply = try await scripts.run(.tidy, keys: [keys.checkouts]) { command in
            command.append(StoreKeys.group)
            command.append(consumer)
        }
        return reply.int ?? 0
    }

    /// Returns whether Redis refuses writes for lack of memory, or is close to doing so.
    package func isShortOfMemory() async throws -> Bool {
        if try await isRedisFull() { return true }
        // Without permission for INFO, it is enough that Redis accepts writes.
        guard let info = try? await scripts.client.send(RedisCommand("INFO", "memory")).info,
            let used = info["used_memory"].flatMap({ Int64($0) }), let most = info["maxmemory"].flatMap({ Int64($0) })
        else { return false }
        return most > 0 && used >= most / 100 * Self.fullPercent
    }

    /// A percentage of maxmemory that leaves room for the messages that arrive while the rest of a backlog is
    /// processed.
    private static let fullPercent: Int64 = 90

    /// Returns whether Redis is full: it refuses writes because it uses more memory than `maxmemory`.
    /// - Throws: `RedisError.reply` also if Redis refuses writes for another reason (READONLY, MISCONF …).
    package func isRedisFull() async throws -> Bool {
        do {
            _ = try await scripts.run(.writable, keys: [keys.stock]) { _ in }
            return false
        } catch RedisError.reply(let error, _) where error.code == "OOM" {
            return true
        }
    }
}
