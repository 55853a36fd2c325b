import Domain
import RedisClient
import RedisLayout

/// What was delivered to the consumer group and is not acknowledged.
package struct PendingSummary: Sendable, Equatable {
    package var count: Int64
    /// nil when nothing is pending.
    package var lowest: StreamID?

    package init(count: Int64, lowest: StreamID?) {
        self.count = count
        self.lowest = lowest
    }

    /// - Throws: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> PendingSummary {
        let reply = try await client.send(RedisCommand("XPENDING", keys.checkouts, StoreKeys.group)).array ?? []
        return PendingSummary(
            count: reply.first?.int ?? 0, lowest: reply.dropFirst().first?.string.flatMap { StreamID($0) })
    }
}
