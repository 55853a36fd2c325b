import Domain

/// Tracks how long the oldest message has been waiting, from one snapshot to the next. Reads no clock.
///
/// If the message's id does not show its age, the time counts from the snapshot in which the message first appeared.
/// This is too short after a start, but an alert still fires.
struct WaitingTime {
    private var seen: [(id: StreamID, at: ContinuousClock.Instant)] = []

    /// - Parameters:
    ///   - waiting: the waiting messages of each kind; `nil` if unknown.
    ///   - time: the clock of Redis, in milliseconds since 1970.
    /// - Returns: the time in milliseconds; `nil` if a kind is unknown.
    mutating func check(
        _ waiting: [WaitingMessages?], redisTime time: Int64, at now: ContinuousClock.Instant
    ) -> Int64? {
        let before = seen
        seen = waiting.compactMap { messages in
            messages?.oldest.map { id in before.first { $0.id == id } ?? (id, now) }
        }
        var longest: Int64 = 0
        for messages in waiting {
            guard let messages else { return nil }
            let since = messages.oldest.flatMap { id in seen.first { $0.id == id }?.at } ?? now
            longest = max(longest, messages.age(at: time) ?? Int64((now - since) / .milliseconds(1)))
        }
        return longest
    }
}
