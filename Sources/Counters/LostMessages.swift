import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Messages that were removed from the stream before they were processed: each may be a paid order.
package struct LostMessages: Sendable, Equatable {
    /// Messages found by this check, since the previous one.
    package var found: Int64
    /// Messages found since the consumer group was created.
    package var total: Int64
    /// The time at which the last of them were found, by Redis' clock, in milliseconds since 1970.
    package var foundAt: Int64?

    package init(found: Int64, total: Int64, foundAt: Int64?) {
        self.found = found
        self.total = total
        self.foundAt = foundAt
    }

    /// Returns how many lost messages are not reported yet, after `reported` in total. The number is computed from the
    /// totals, not from `found` alone: the reply to an earlier check may have been lost. A total that has decreased
    /// means that Redis has lost data, or that the group is new.
    package func unreported(after reported: Int64) -> Int64 { max(total &- reported, found) }

    /// Reads the results of earlier checks; for callers without a ledger.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> LostMessages {
        let reply = try await client.send(RedisCommand("HMGET", keys.intake, "lost", "lost_at"))
        guard let values = reply.array, values.count == 2 else {
            throw CountersError.unexpectedReply(script: "HMGET", detail: "not 2 values")
        }
        return LostMessages(found: 0, total: values[0].int ?? 0, foundAt: values[1].int)
    }

    /// Counts the messages that are missing from the stream, if no message is unread at the moment. Changes nothing
    /// else.
    package static func check(_ keys: StoreKeys, _ client: RedisClient) async throws -> LostMessages {
        let scripts = ScriptRunner(client: client)
        let reply = try await scripts.run(.lost, keys: [keys.checkouts, keys.intake]) { $0.append(StoreKeys.group) }
        guard let parts = reply.array, parts.count == 3, let found = parts[0].int, let total = parts[1].int else {
            throw CountersError.unexpectedReply(script: "lost", detail: "not two counts and a time")
        }
        return LostMessages(found: found, total: total, foundAt: parts[2].int)
    }
}

extension CounterStore {
    /// Counts the messages that are missing from the stream, if no message is unread at the moment.
    package func checkForLostMessages() async throws -> LostMessages {
        try await LostMessages.check(keys, scripts.client)
    }
}
