import Inventory
import LuaScripts
import RedisClient

/// Which processed messages and outcomes stay in their streams.
package struct Retention: Sendable, Equatable {
    /// How long a message stays, by its id and Redis' clock.
    package var age: Duration
    /// Messages with lower ids are older than that, whatever their ids say; nil: none is known.
    package var olderThan: String?
    /// About how many messages stay; 0: none but those that are unread or pending.
    package var messages: Int
    /// About how many outcomes stay; nil: all.
    package var outcomes: Int?

    package init(age: Duration, olderThan: String? = nil, messages: Int, outcomes: Int? = nil) {
        self.age = age
        self.olderThan = olderThan
        self.messages = messages
        self.outcomes = outcomes
    }
}

/// What a trimming dropped, and when it was.
package struct TrimReport: Sendable, Equatable {
    package var messages: Int64
    package var outcomes: Int64
    /// Redis' clock, in milliseconds since 1970.
    package var time: Int64
    /// Id of the message that was delivered last.
    package var lastDelivered: String
    /// No message with a lower id is left.
    package var bound: String
}

extension CounterStore {
    /// Drops processed messages and outcomes that need not stay, but no message that is unread or pending.
    package func trim(_ retention: Retention) async throws -> TrimReport {
        let reply = try await scripts.run(.trim, keys: [keys.checkouts, keys.outcomes]) { command in
            command.append(StoreKeys.group)
            command.append(Int64(retention.age / .milliseconds(1)))
            command.append(retention.olderThan ?? "")
            command.append(retention.messages)
            command.append(retention.outcomes.map(String.init) ?? "")
        }
        guard let parts = reply.array, parts.count == 5, let messages = parts[0].int, let outcomes = parts[1].int,
            let time = parts[2].string.flatMap({ Int64($0) }), let last = parts[3].string, let bound = parts[4].string
        else {
            throw CountersError.unexpectedReply(script: "trim", detail: "not two counts, a time and two ids")
        }
        return TrimReport(messages: messages, outcomes: outcomes, time: time, lastDelivered: last, bound: bound)
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
