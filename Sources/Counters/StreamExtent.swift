import Inventory
import LuaScripts
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
        let parts: [RedisValue]
        do {
            parts = try await ScriptRunner(client: client).run(.extent, keys: [keys.checkouts]) { _ in }.array ?? []
        } catch RedisError.reply(let error, _) where error.message.contains("no such key") {
            return nil
        }
        guard parts.count == 4 else {
            throw RedisError.protocolViolation(to: client.url.redacted, detail: "reply to extent: not four values")
        }
        func position(_ value: RedisValue) -> EntryPosition? { value.string.flatMap { EntryPosition($0) } }
        return StreamExtent(
            first: position(parts[3]), last: position(parts[2]), length: parts[0].int ?? 0, added: parts[1].int ?? 0)
    }
}
