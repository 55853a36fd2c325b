import RedisClient

/// The clock of Redis, from which the ids of entries are generated.
package enum RedisClock {
    /// Returns the time in milliseconds since 1970; `nil` if Redis does not report a valid time.
    /// - Throws: `RedisError`.
    package static func read(_ client: RedisClient) async throws -> Int64? {
        let parts = try await client.send(RedisCommand("TIME")).array ?? []
        guard parts.count == 2, let seconds = parts[0].int, let micros = parts[1].int else { return nil }
        let (milliseconds, isOverflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !isOverflow, (0..<1_000_000).contains(micros) else { return nil }
        let (time, isOver) = milliseconds.addingReportingOverflow(micros / 1_000)
        return isOver ? nil : time
    }
}
