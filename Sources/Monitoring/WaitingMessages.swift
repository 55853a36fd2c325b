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
    /// Of the oldest; nil: there is none, its id is no id, or it is too large to be asked for.
    package var oldest: EntryPosition?

    /// Unread messages that are counted one by one where Redis cannot tell their number.
    private static let countedEntries = 100

    /// What nobody has read.
    package static func unread(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        let limit = group.lag == nil ? countedEntries : 1
        let command = RedisCommand("XRANGE", keys.checkouts, "(" + group.lastDelivered, "+", "COUNT", "\(limit)")
        let entries: [RedisValue]
        do {
            entries = try await client.send(command).array ?? []
        } catch RedisError.replyTooLarge {
            // It waits, whatever its size.
            return WaitingMessages(count: group.lag ?? 1, isLowerBound: group.lag == nil)
        }
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

    /// In milliseconds, by the oldest one's id; 0 if none waits.
    /// - Parameter now: Redis' clock, of which ids are made.
    /// - Returns: nil where the id does not say: it is ahead of the clock, which was ahead itself for a moment.
    package func age(at now: Int64) -> Int64? {
        guard count > 0 else { return 0 }
        guard let oldest else { return nil }
        let age = now - Int64(clamping: oldest.milliseconds)
        return .milliseconds(age) < .zero - Timestamp.clockTolerance ? nil : max(age, 0)
    }
}
