import Domain
import RedisClient
import RedisLayout

/// Messages whose processing is not finished.
package struct WaitingMessages: Sendable, Equatable {
    package var count: Int64
    /// Whether there may be more than `count`.
    package var isLowerBound = false
    /// The oldest message; `nil` if there is none, its id is not valid, or it is too large to be read.
    package var oldest: StreamID?

    /// The maximum number of unread messages that are counted individually if Redis does not know their number.
    private static let countedEntries = 100

    /// Returns the messages that no consumer has read.
    package static func unread(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        let limit = group.lag == nil ? countedEntries : 1
        let command = RedisCommand("XRANGE", keys.checkouts, "(" + group.lastDelivered, "+", "COUNT", "\(limit)")
        let entries: [RedisValue]
        do {
            entries = try await client.send(command).array ?? []
        } catch RedisError.replyTooLarge {
            // The entry is waiting, whatever its size.
            return WaitingMessages(count: group.lag ?? 1, isLowerBound: group.lag == nil)
        }
        // The lag of Redis may include deleted entries.
        guard let first = entries.first else { return WaitingMessages(count: 0) }
        return WaitingMessages(
            count: group.lag ?? Int64(entries.count), isLowerBound: group.lag == nil && entries.count == limit,
            oldest: first.array?.first?.string.flatMap { StreamID($0) })
    }

    /// Returns the messages that were read and are not acknowledged.
    package static func pending(
        _ group: GroupProgress, _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> WaitingMessages {
        if group.pending == 0 { return WaitingMessages(count: 0) }
        let reply = try await client.send(RedisCommand("XPENDING", keys.checkouts, StoreKeys.group)).array
        return WaitingMessages(
            count: group.pending, oldest: reply?.dropFirst().first?.string.flatMap { StreamID($0) })
    }

    /// Returns the age of the oldest message in milliseconds, by its id; 0 if no message is waiting.
    /// - Parameter now: the clock of Redis, from which ids are generated.
    /// - Returns: `nil` if there is no id, or the id does not show the age because it is ahead of the clock, which
    ///   itself was ahead for a moment.
    package func age(at now: Int64) -> Int64? {
        guard count > 0 else { return 0 }
        guard let oldest else { return nil }
        let age = now - Int64(clamping: oldest.milliseconds)
        return .milliseconds(age) < .zero - Timestamp.clockTolerance ? nil : max(age, 0)
    }
}
