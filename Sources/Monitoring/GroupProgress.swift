import RedisClient
import RedisLayout

/// How far the consumers of a store have read its stream. All reads throw `RedisError`.
package struct GroupProgress: Sendable {
    /// The number of entries that were delivered and are not acknowledged.
    package var pending: Int64
    /// The number of entries that were never delivered; `nil` if Redis does not know it.
    var lag: Int64?
    var lastDelivered: String

    /// Reads the progress. If the stream or the group does not exist yet, nothing was delivered.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> GroupProgress {
        let groups: [RedisValue]
        do {
            groups = try await client.send(RedisCommand("XINFO GROUPS", keys.checkouts)).array ?? []
        } catch RedisError.reply(let error, _) where error.message.contains("no such key") {
            groups = []
        }
        let group = groups.map(\.fields).first { $0["name"]?.string == StoreKeys.group }
        return GroupProgress(
            pending: group?["pending"]?.int ?? 0, lag: group?["lag"]?.int,
            lastDelivered: group?["last-delivered-id"]?.string ?? "0-0")
    }
}
