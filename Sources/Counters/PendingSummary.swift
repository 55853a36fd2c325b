import Domain
import RedisClient
import RedisLayout

/// The entries that were delivered to the consumer group and are not acknowledged.
package struct PendingSummary: Sendable, Equatable {
    package var count: Int64
    /// The lowest pending id; nil if nothing is pending.
    package var lowest: StreamID?

    package init(count: Int64, lowest: StreamID?) {
        self.count = count
        self.lowest = lowest
    }

    /// Reads the summary from Redis.
    /// - Throws: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> PendingSummary {
        let reply = try await client.send(RedisCommand("XPENDING", keys.checkouts, StoreKeys.group)).array ?? []
        return PendingSummary(
            count: reply.first?.int ?? 0, lowest: reply.dropFirst().first?.string.flatMap { StreamID($0) })
    }
}
