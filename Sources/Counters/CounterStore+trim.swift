import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Which processed messages and outcomes stay in their streams.
package struct Retention: Sendable, Equatable {
    /// How long a message stays, by its id and Redis' clock.
    package var age: Duration
    /// Messages with lower ids are older than that, whatever their ids say; nil: none is known.
    package var olderThan: String?
    /// About how many messages stay, whatever their age.
    package var messages: Int
    /// About how many messages may be dropped in one call.
    package var limit: Int
    /// About how many outcomes stay; nil: all.
    package var outcomes: Int?

    /// Redis serves no other client while it drops messages: about 20 ms for this many.
    package static let ordinaryLimit = 100_000

    package init(
        age: Duration, olderThan: String? = nil, messages: Int, limit: Int = ordinaryLimit, outcomes: Int? = nil
    ) {
        self.age = age
        self.olderThan = olderThan
        self.messages = messages
        self.limit = limit
        self.outcomes = outcomes
    }
}

/// What a trimming dropped, and when.
package struct TrimReport: Sendable, Equatable {
    /// Messages that were dropped for their age.
    package var aged: Int64
    /// Messages that were dropped although they were not old: there were too many.
    package var excess: Int64
    package var outcomes: Int64
    /// Redis' clock, in milliseconds since 1970.
    package var time: Int64
    /// Id of the message that was delivered last.
    package var lastDelivered: String
    /// Messages with lower ids are acknowledged.
    package var acknowledged: String

    package init(
        aged: Int64, excess: Int64, outcomes: Int64, time: Int64, lastDelivered: String, acknowledged: String
    ) {
        self.aged = aged
        self.excess = excess
        self.outcomes = outcomes
        self.time = time
        self.lastDelivered = lastDelivered
        self.acknowledged = acknowledged
    }

    package var messages: Int64 { aged + excess }
}

extension CounterStore {
    /// Drops processed messages and outcomes that need not stay, but no message that is unread or pending.
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

    /// The oldest message of the stream, or, when it holds none, the last one that it has held.
    package func oldestMessage() async throws -> StreamID? {
        let extent = try await StreamExtent.read(keys, scripts.client)
        return extent?.first ?? extent?.last
    }

    /// Removes consumers of the group that have nothing pending, but not `consumer`.
    /// - Returns: how many were removed.
    package func removeIdleConsumers(except consumer: String) async throws -> Int64 {
        let reply = try await scripts.run(.tidy, keys: [keys.checkouts]) { command in
            command.append(StoreKeys.group)
            command.append(consumer)
        }
        return reply.int ?? 0
    }

    /// Whether Redis refuses writes for lack of memory, or would with a little more.
    package func isShortOfMemory() async throws -> Bool {
        if try await isRedisFull() { return true }
        // Without the right to send INFO, accepting writes is enough.
        guard let info = try? await scripts.client.send(RedisCommand("INFO", "memory")).info,
            let used = info["used_memory"].flatMap({ Int64($0) }), let most = info["maxmemory"].flatMap({ Int64($0) })
        else { return false }
        return most > 0 && used >= most / 100 * Self.fullPercent
    }

    /// Percent of maxmemory: leaves room for what arrives while the rest of a backlog is processed.
    private static let fullPercent: Int64 = 90

    /// Whether Redis is full: it refuses writes because it uses more memory than `maxmemory`.
    /// - Throws: `RedisError.reply` also where it refuses them for another reason (READONLY, MISCONF …).
    package func isRedisFull() async throws -> Bool {
        do {
            _ = try await scripts.run(.writable, keys: [keys.stock]) { _ in }
            return false
        } catch RedisError.reply(let error, _) where error.code == "OOM" {
            return true
        }
    }
}
