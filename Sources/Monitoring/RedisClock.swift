import RedisClient

/// The clock of Redis, of which the ids of entries are made.
package enum RedisClock {
    /// Milliseconds since 1970; nil: Redis does not say. Errors: `RedisError`.
    package static func read(_ client: RedisClient) async throws -> Int64? {
        let parts = try await client.send(RedisCommand("TIME")).array ?? []
        guard parts.count == 2, let seconds = parts[0].int, let micros = parts[1].int else { return nil }
        return seconds * 1_000 + micros / 1_000
    }
}
