import Counters
import Domain

/// Decides how the streams are trimmed next, based on the reports of earlier trims. Reads no clock and does no I/O.
struct TrimPolicy {
    /// The number of consecutive checks at which Redis refused writes because it exceeded its memory limit.
    private var refusals = 0
    /// When Redis last refused writes; `nil` if not recently.
    private var lastRefusal: ContinuousClock.Instant?
    /// Used while ids are ahead of the clock of Redis, and so do not show how old an entry is. Each mark has a time, by
    /// this process's monotonic clock, and the entry that had been delivered last by then: every lower entry is at
    /// least as old.
    private var marks: [(time: ContinuousClock.Instant, id: String)] = []

    private let age: Duration
    private let messages: Int
    private let outcomes: Int

    /// The number of marks in the time for which a message is kept. A message is kept too long by at most the interval
    /// between two marks.
    private static let marksPerAge = 100

    init(_ settings: ConsumerSettings) {
        age = settings.messageAge
        messages = settings.keepMessages
        outcomes = settings.keepOutcomes
    }

    /// Whether Redis is full, or was until recently: the rest of the backlog that filled it is then still being
    /// processed. A single refusal does not count: it may be due to one large reply to a client, which uses memory,
    /// too.
    var isRelieving: Bool { lastRefusal != nil && refusals != 1 }

    /// The approximate number of outcomes to keep now.
    var keepOutcomes: Int { isRelieving ? min(outcomes, ConsumerSettings.outcomesWhenFull) : outcomes }

    /// Returns what to keep while Redis has room.
    func retention(at now: ContinuousClock.Instant) -> Retention {
        Retention(age: age, olderThan: marks.last { now - $0.time >= age }?.id, messages: messages)
    }

    /// Returns what to keep in a full Redis: the oldest acknowledged messages are dropped, so that Redis accepts
    /// messages again.
    /// - Parameter limit: the maximum number of messages to drop.
    func relief(of limit: Int) -> Retention {
        Retention(age: age, messages: 0, limit: limit, outcomes: keepOutcomes)
    }

    /// - Returns: whether `isRelieving` has changed.
    mutating func note(isFull: Bool, at now: ContinuousClock.Instant) -> Bool {
        let before = isRelieving
        if isFull {
            // Refusals count as consecutive until they are cleared, even if some time passes between them.
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
    /// How far the id of the last delivered message is ahead of the clock of Redis; negative if it is behind, as it
    /// should be.
    var idsAhead: Duration? {
        StreamID(lastDelivered).map {
            .milliseconds(Int64(clamping: $0.milliseconds)) - .milliseconds(time)
        }
    }
}
