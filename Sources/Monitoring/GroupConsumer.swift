import Domain
import RedisClient
import RedisLayout

/// A consumer in the consumer group of a store, identified by the name under which it reads.
package struct GroupConsumer: Sendable, Equatable {
    package var name: String
    /// The number of entries that were delivered to it and are not acknowledged.
    package var pending: Int64
    /// Milliseconds since it last requested entries; before Redis 7.2, since entries were last delivered to it.
    package var idle: Int64

    /// Reads the consumers of the group; empty if the stream or the group does not exist yet.
    /// - Throws: `RedisError`.
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
