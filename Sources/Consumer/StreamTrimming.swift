import Counters
import Inventory

/// How the streams are trimmed next, given what earlier trimmings found. Knows no clock and does no I/O.
struct StreamTrimming {
    /// When Redis refused writes last because it used more memory than it may; nil: not for a while.
    private var lastRefusal: ContinuousClock.Instant?
    /// The ids were ahead of Redis' clock, so they do not say how old an entry is. At each time, by a clock of this process
    /// that never steps, the entry that had been delivered last: whatever lies below it is at least as old.
    private var marks: [(time: ContinuousClock.Instant, id: String)] = []

    private let age: Duration
    private let messages: Int
    private let outcomes: Int

    /// Marks in the time that a message is kept: a message stays at most so much longer.
    private static let marksPerAge = 100

    init(_ settings: ConsumerSettings) {
        age = settings.messageAge
        messages = settings.keepMessages
        outcomes = settings.keepOutcomes
    }

    /// Redis is full, or was until a moment ago: then the rest of the backlog that filled it is still being worked off.
    var isRelieving: Bool { lastRefusal != nil }

    /// About how many outcomes are to stay now.
    var keepOutcomes: Int { isRelieving ? min(outcomes, ConsumerSettings.outcomesWhenFull) : outcomes }

    /// A full Redis keeps nothing that is acknowledged: else it would refuse messages until their time has come.
    func retention(at now: ContinuousClock.Instant) -> Retention {
        if isRelieving { return Retention(age: .zero, messages: 0, outcomes: keepOutcomes) }
        return Retention(age: age, olderThan: marks.last { now - $0.time >= age }?.id, messages: messages)
    }

    /// - Returns: whether `isRelieving` has changed.
    mutating func note(isFull: Bool, at now: ContinuousClock.Instant) -> Bool {
        let before = isRelieving
        if isFull {
            lastRefusal = now
        } else if let last = lastRefusal, now - last >= ConsumerSettings.reliefTime {
            lastRefusal = nil
        }
        return isRelieving != before
    }

    mutating func note(_ report: TrimReport, at now: ContinuousClock.Instant) {
        guard let ahead = report.idsAhead, ahead > ConsumerSettings.clockTolerance else {
            marks = []
            return
        }
        if let due = marks.lastIndex(where: { now - $0.time >= age }) { marks.removeFirst(due) }
        if let last = marks.last, now - last.time < age / Self.marksPerAge { return }
        marks.append((now, report.lastDelivered))
    }
}

extension TrimReport {
    /// How far the id of the message that was delivered last is ahead of Redis' clock; negative: behind, as it should be.
    var idsAhead: Duration? {
        EntryPosition(lastDelivered).map {
            .milliseconds(Int64(clamping: $0.milliseconds)) - .milliseconds(time)
        }
    }
}
