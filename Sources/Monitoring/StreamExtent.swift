import Inventory
import RedisClient

/// Which messages the stream holds.
package struct StreamExtent: Sendable {
    /// Of the oldest message; nil: it holds none.
    package var first: EntryPosition?
    /// Of the last one ever added.
    package var last: EntryPosition?
    package var length: Int64
    /// How many were ever added.
    package var added: Int64

    /// Nil if there is no stream. Errors: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> StreamExtent? {
        let reply: RedisValue
        do {
            reply = try await client.send(RedisCommand("XINFO STREAM", keys.checkouts))
        } catch RedisError.reply(let error, _) where error.message.contains("no such key") {
            return nil
        }
        let fields = reply.fields
        func position(_ value: RedisValue?) -> EntryPosition? { value?.string.flatMap { EntryPosition($0) } }
        return StreamExtent(
            first: position(fields["first-entry"]?.array?.first), last: position(fields["last-generated-id"]),
            length: fields["length"]?.int ?? 0, added: fields["entries-added"]?.int ?? 0)
    }
}
