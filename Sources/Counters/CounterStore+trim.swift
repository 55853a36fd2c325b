import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Defines which processed messages and outcomes are kept in their streams.
package struct Retention: Sendable, Equatable {
    /// How long a message is kept, by its id and Redis' clock.
    package var age: Duration
    /// Messages with lower ids are older than `age`, whatever their ids say; nil if no id is known.
    package var olderThan: String?
    /// Approximately how many messages are kept, whatever their age.
    package var messages: Int
    /// Approximately how many messages may be dropped in one call.
    package var limit: Int
    /// Approximately how many outcomes are kept; nil keeps all.
    package var outcomes: Int?

    /// The usual `limit`. Redis serves no other client while it drops messages: about 20 ms for this number.
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

/// The numbers of messages and outcomes that a trim dropped, and the stream's state at that time.
package struct TrimReport: Sendable, Equatable {
    /// Messages that were dropped because of their age.
    package var aged: Int64
    /// Messages that were dropped although they were not old, because there were too many.
    package var excess: Int64
    package var outcomes: Int64
    /// Redis' clock, in milliseconds since 1970.
    package var time: Int64
    /// The id of the last message that was delivered.
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
