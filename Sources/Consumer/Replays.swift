import Ledger

/// Dead letters that must be published again: those that an operator requested, and cancellations whose order has
/// arrived. Does no I/O.
///
/// The request stays in the ledger until the message has come back and is recorded, with whatever outcome. So it
/// survives any crash; a message that is published twice is a replay.
struct Replays {
    /// A dead letter that must be published now.
    struct Due: Sendable, Equatable {
        var number: Int64
        /// The entry it became when it was published before; while that waits to be processed, it is not published
        /// again.
        var entry: String?
    }

    private struct Sent {
        /// The entry it became; nil: it is being sent, or could not be.
        var entry: String?
        /// When it is checked again.
        var next: ContinuousClock.Instant
    }

    /// Those published again, by their numbers.
    private var sent: [Int64: Sent] = [:]
    /// All that are requested, by the fingerprint of the entries they are published as.
    private(set) var wanted: [[UInt8]: [Int64]] = [:]

    /// After how long a message that has not come back is checked again: Redis may have lost it.
    private static let patience = Duration.seconds(30)
    /// After how long a message that could not be sent is tried again.
    private static let retry = Duration.seconds(1)
    /// Dead letters published at a time.
    static let limit = 500

    /// Those of `wanted` that must be published now. They count as sent from now on.
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
    /// The entries they became, by their numbers.
    var sent: [Int64: String] = [:]
    var failed: [Int64] = []
}
