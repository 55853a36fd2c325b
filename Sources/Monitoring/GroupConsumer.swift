import Domain
import RedisClient
import RedisLayout

/// A consumer in the consumer group of a store, by the name under which it reads.
package struct GroupConsumer: Sendable, Equatable {
    package var name: String
    /// Entries that were delivered to it and are not acknowledged.
    package var pending: Int64
    /// Milliseconds since it last asked for entries; before Redis 7.2, since entries were last delivered to it.
    package var idle: Int64

    /// Empty if there is no stream or no group yet. Errors: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> [GroupConsumer] {
        let consumers: [RedisValue]
        do {
            consumers =
                try await client.send(RedisCommand("XINFO CONSUMERS", keys.checkouts, StoreKeys.group)).array ?? []
        } catch RedisError.reply(let error, _) where error.code == "NOGROUP" || error.message.contains("no such key") {
            return []
        }
        return consumers.map(\.fields).compactMap { fields in
            guard let name = fields["name"]?.string else { return nil }
            return GroupConsumer(name: name, pending: fields["pending"]?.int ?? 0, idle: fields["idle"]?.int ?? 0)
        }
    }
}
