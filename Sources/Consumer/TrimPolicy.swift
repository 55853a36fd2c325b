import Counters
import Domain

/// Decides how the streams are trimmed next, given what earlier trimmings found. Knows no clock and does no I/O.
struct TrimPolicy {
    /// Consecutive looks at which Redis refused writes because it used more memory than it may.
    private var refusals = 0
    /// When it last refused writes; nil: not for a while.
    private var lastRefusal: ContinuousClock.Instant?
    /// Used when the ids are ahead of Redis' clock, so that they do not show how old an entry is. For each time, by
    /// this process' monotonic clock, the entry that had been delivered last: every entry below it is at least as old.
    private var marks: [(time: ContinuousClock.Instant, id: String)] = []

    private let age: Duration
    private let messages: Int
    private let outcomes: Int

    /// Marks in the time that a message is kept: a message stays longer by at most one interval between them.
    private static let marksPerAge = 100

    init(_ settings: ConsumerSettings) {
        age = settings.messageAge
        messages = settings.keepMessages
        outcomes = settings.keepOutcomes
    }

    /// Redis is full, or was until a moment ago: then the rest of the backlog that filled it is still being processed.
    /// A single refusal may be due to the large reply to a single client, which counts as memory, too.
    var isRelieving: Bool { lastRefusal != nil && refusals != 1 }

    /// About how many outcomes are to stay now.
    var keepOutcomes: Int { isRelieving ? min(outcomes, ConsumerSettings.outcomesWhenFull) : outcomes }

    /// What stays while Redis has room.
    func retention(at now: ContinuousClock.Instant) -> Retention {
        Retention(age: age, olderThan: marks.last { now - $0.time >= age }?.id, messages: messages)
    }

    /// What stays in a full Redis: the oldest acknowledged messages are dropped, so that it accepts messages again.
    /// - Parameter limit: how many messages may be dropped.
    func relief(of limit: Int) -> Retention {
        Retention(age: age, messages: 0, limit: limit, outcomes: keepOutcomes)
    }

    /// - Returns: whether `isRelieving` has changed.
    mutating func note(isFull: Bool, at now: ContinuousClock.Instant) -> Bool {
        let before = isRelieving
        if isFull {
            // Counted as consecutive: a refusal a while after others is not a single one.
            refusals = lastRefusal == nil ? 1 : refusals + 1
            lastRefusal = now
        } else if refusals == 1 {
            (refusals, lastRefusal) = (0, nil)
        } else if let last = lastRefusal, now - last >= ConsumerSettings.reliefTime {
            (refusals, lastRefusal) = (0, nil)
        }
        return isRelieving != before
    }

    mutating func note(_ report: TrimReport, at now: ContinuousClock.Instant) {
        guard let ahead = report.idsAhead, ahead > Timestamp.clockTolerance else {
            marks = []
            return
        }
        if let due = marks.lastIndex(where: { now - $0.time >= age }) { marks.removeFirst(due) }
        if let last = marks.last, now - last.time < age / Self.marksPerAge { return }
        marks.append((now, report.lastDelivered))
    }
}

extension TrimReport {
    /// How far the id of the message that was delivered last is ahead of Redis' clock; negative: behind, as it should
    /// be.
    var idsAhead: Duration? {
        StreamID(lastDelivered).map {
            .milliseconds(Int64(clamping: $0.milliseconds)) - .milliseconds(time)
        }
    }
}
