import Inventory
import RedisClient

/// A name under which somebody has read in the consumer group of a store.
package struct GroupConsumer: Sendable, Equatable {
    package var name: String
    /// Entries that were delivered under it and are not acknowledged.
    package var pending: Int64
    /// Milliseconds since somebody last asked for entries under it; before Redis 7.2, since somebody was last given
    /// some.
    package var idle: Int64

    /// None where there is no stream or no group yet. Errors: `RedisError`.
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
