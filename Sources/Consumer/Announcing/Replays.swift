import Ledger

/// Dead letters that must be published again: those that an operator has requested, and cancellations whose order has
/// arrived. Does no I/O.
///
/// A request stays in the ledger until the message has been read again and recorded, with whatever outcome, so it
/// survives any crash. A message that is published twice is a replay.
struct Replays {
    /// A dead letter that must be published now.
    struct Due: Sendable, Equatable {
        var number: Int64
        /// The id of the entry from an earlier publication. While that entry waits to be processed, the dead letter is
        /// not published again.
        var entry: String?
    }

    private struct Sent {
        /// The id of the published entry; `nil` if it is being sent, or could not be sent.
        var entry: String?
        /// When to check it again.
        var next: ContinuousClock.Instant
    }

    /// The dead letters that were published again, by number.
    private var sent: [Int64: Sent] = [:]
    /// The numbers of all requested dead letters, by the fingerprint of their new entries.
    private(set) var wanted: [[UInt8]: [Int64]] = [:]

    /// How long until a message that has not been read again is checked: Redis may have lost it.
    private static let patience = Duration.seconds(30)
    /// How long until a message that could not be sent is retried.
    private static let retry = Duration.seconds(1)
    /// The maximum number of dead letters published at a time.
    static let limit = 500

    /// Returns the dead letters of `wanted` that must be published now. They count as sent from now on.
    mutating func due(_ wanted: [RequestedReplay], at now: ContinuousClock.Instant) -> [Due] {
        let numbers = Set(wanted.map(\.number))
        sent = sent.filter { numbers.contains($0.key) }
        self.wanted = Dictionary(grouping: wanted, by: \.fingerprint).mapValues { $0.map(\.number) }
        let due = wanted.map(\.number).filter { number in sent[number].map { $0.next <= now } ?? true }
            .map { Due(number: $0, entry: sent[$0]?.entry) }
        for each in due { sent[each.number] = Sent(entry: each.entry, next: now + Self.patience) }
        return due
    }

    mutating func note(_ published: PublishedReplays, at now: ContinuousClock.Instant) {
        for (number, entry) in published.sent { sent[number] = Sent(entry: entry, next: now + Self.patience) }
        for number in published.failed { sent[number]?.next = now + Self.retry }
    }
}

/// The result of publishing dead letters again.
struct PublishedReplays: Sendable {
    /// The ids of the published entries, by the number of the dead letter.
    var sent: [Int64: String] = [:]
    var failed: [Int64] = []
}
