import Inventory
import RedisClient

/// How far the consumers of a store have read its stream. Errors of all reads: `RedisError`.
package struct GroupProgress: Sendable {
    /// How many entries were delivered and are not acknowledged.
    package var pending: Int64
    /// How many were never delivered; nil: Redis cannot tell.
    var lag: Int64?
    var lastDelivered: String

    /// Where there is no stream or no group yet, nothing was delivered.
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

/// Messages that nobody has finished.
package struct WaitingMessages: Sendable, Equatable {
    package var count: Int64
    /// There are at least so many, and perhaps more.
    package var isLowerBound = false
    /// Of the oldest; nil: there is none, or its id is no id.
    package var oldest: EntryPosition?

    /// Unread messages that are counted one by one where Redis cannot tell their number.
    private static let countedEntries = 100

    /// What nobody has read.
    package static func unread(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        let limit = group.lag == nil ? countedEntries : 1
        let command = RedisCommand("XRANGE", keys.checkouts, "(" + group.lastDelivered, "+", "COUNT", "\(limit)")
        let entries = try await client.send(command).array ?? []
        // Entries that were deleted may be counted as unread, too.
        guard let first = entries.first else { return WaitingMessages(count: 0) }
        return WaitingMessages(
            count: group.lag ?? Int64(entries.count), isLowerBound: group.lag == nil && entries.count == limit,
            oldest: first.array?.first?.string.flatMap { EntryPosition($0) })
    }

    /// What was read and is not settled.
    package static func pending(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        if group.pending == 0 { return WaitingMessages(count: 0) }
        let reply = try await client.send(RedisCommand("XPENDING", keys.checkouts, StoreKeys.group)).array
        return WaitingMessages(
            count: group.pending, oldest: reply?.dropFirst().first?.string.flatMap { EntryPosition($0) })
    }

    /// In milliseconds, by this machine's clock; 0 if none waits.
    package var age: Int64 {
        guard let oldest else { return 0 }
        return max(Timestamp.milliseconds() - Int64(clamping: oldest.milliseconds), 0)
    }
}
