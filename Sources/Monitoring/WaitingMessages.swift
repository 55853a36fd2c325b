import Domain
import RedisClient
import RedisLayout

/// How far the consumers of a store have read its stream. Errors of all reads: `RedisError`.
package struct GroupProgress: Sendable {
    /// How many entries were delivered and are not acknowledged.
    package var pending: Int64
    /// How many were never delivered; nil: Redis does not know.
    var lag: Int64?
    var lastDelivered: String

    /// If there is no stream or no group yet, nothing was delivered.
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

/// Messages whose processing is not finished.
package struct WaitingMessages: Sendable, Equatable {
    package var count: Int64
    /// Whether there may be more than `count`.
    package var isLowerBound = false
    /// The oldest message; nil: there is none, its id is not valid, or it is too large to be read.
    package var oldest: StreamID?

    /// How many unread messages are counted one by one if Redis does not know their number.
    private static let countedEntries = 100

    /// Messages that no consumer has read.
    package static func unread(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        let limit = group.lag == nil ? countedEntries : 1
        let command = RedisCommand("XRANGE", keys.checkouts, "(" + group.lastDelivered, "+", "COUNT", "\(limit)")
        let entries: [RedisValue]
        do {
            entries = try await client.send(command).array ?? []
        } catch RedisError.replyTooLarge {
            // The entry waits, whatever its size.
            return WaitingMessages(count: group.lag ?? 1, isLowerBound: group.lag == nil)
        }
        // Redis may count deleted entries as unread, too.
        guard let first = entries.first else { return WaitingMessages(count: 0) }
        return WaitingMessages(
            count: group.lag ?? Int64(entries.count), isLowerBound: group.lag == nil && entries.count == limit,
            oldest: first.array?.first?.string.flatMap { StreamID($0) })
    }

    /// Messages that were read and are not acknowledged.
    package static func pending(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        if group.pending == 0 { return WaitingMessages(count: 0) }
        let reply = try await client.send(RedisCommand("XPENDING", keys.checkouts, StoreKeys.group)).array
        return WaitingMessages(
            count: group.pending, oldest: reply?.dropFirst().first?.string.flatMap { StreamID($0) })
    }

    /// The age of the oldest message in milliseconds, by its id; 0 if none waits.
    /// - Parameter now: Redis' clock, from which ids are made.
    /// - Returns: nil if the id does not show it: the id is ahead of the clock, which itself was ahead for a moment.
    package func age(at now: Int64) -> Int64? {
        guard count > 0 else { return 0 }
        guard let oldest else { return nil }
        let age = now - Int64(clamping: oldest.milliseconds)
        return .milliseconds(age) < .zero - Timestamp.clockTolerance ? nil : max(age, 0)
    }
}
