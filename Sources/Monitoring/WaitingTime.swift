import Domain

/// How long the oldest message has been waiting, from one look to the next. Knows no clock.
///
/// If its id does not show it, the time counts from the look that first saw the message: too short after a start, but
/// an alert still fires.
struct WaitingTime {
    private var seen: [(id: StreamID, at: ContinuousClock.Instant)] = []

    /// - Parameters:
    ///   - waiting: kinds of messages that wait; nil: unknown.
    ///   - time: Redis' clock, in milliseconds since 1970.
    /// - Returns: milliseconds; nil where a kind is unknown.
    mutating func look(
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
