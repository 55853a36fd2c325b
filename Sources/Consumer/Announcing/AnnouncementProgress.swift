import Counters
import Domain
import Ledger

/// Tracks how far the journal is announced, and which outcomes are next. Announcing is a projection of the journal, in
/// the order of its positions. Does no I/O.
///
/// The rows of a batch are announced from memory if all earlier rows are announced, or are in memory, too. All other
/// rows are read from the ledger, one slice at a time: after a refusal, after a start, and after a new epoch.
struct AnnouncementProgress {
    enum State {
        case ready
        /// The ledger is being read.
        case reading
        /// Redis has refused an announcement; it is retried after the next watch.
        case refused
    }

    private(set) var state = State.ready
    /// The position up to which everything is announced, according to Redis.
    private(set) var announced: Int64
    /// The position of the journal's last row, as far as this process knows.
    private(set) var recorded: Int64
    /// The outcomes to announce next: those of the rows after `announced`, through `end`.
    private var outcomes: [RecordedOutcome] = []
    private var end: Int64
    /// Whether Redis may have lost its announced position.
    private var isInDoubt = false
    /// Whether a refusal has been reported.
    private var isRefusalKnown = false

    init(announced: Int64, recorded: Int64) {
        assert(announced <= recorded, "more is announced than recorded")
        self.announced = announced
        self.recorded = recorded
        end = announced
    }

    var isComplete: Bool { announced == recorded && !isInDoubt }

    /// The announcement for the next call to Redis; `nil` if there is nothing to announce.
    var next: Announcement? {
        if case .refused = state { return nil }
        if end == announced, !isInDoubt { return nil }
        return Announcement(after: announced, through: end, outcomes: outcomes)
    }

    /// Adds rows that the ledger has recorded, the last of them at `position`.
    mutating func add(_ rows: [RecordedOutcome], through position: Int64) {
        assert(rows.last.map { $0.place.position == position } ?? true, "a batch's rows follow each other")
        if case .ready = state, end == recorded, position == recorded + Int64(rows.count) {
            outcomes += rows
            end = position
        }
        recorded = max(recorded, position)
    }

    /// Returns the rows that must be read from the ledger now; `nil` if there are none.
    mutating func rowsToRead() -> JournalRange? {
        guard case .ready = state, end == announced, announced < recorded, !isInDoubt else { return nil }
        state = .reading
        return JournalRange(after: announced, through: recorded)
    }

    mutating func read(_ rows: JournalOutcomes, of range: JournalRange) {
        guard case .reading = state else { return }
        state = .ready
        // Otherwise Redis has reported a different position in the meantime.
        guard range.after == announced, end == announced else { return }
        assert(rows.through <= recorded, "more was read than was asked for")
        outcomes = rows.outcomes
        end = rows.through
    }

    /// Notes that Redis has announced everything up to `position`, and has refused the rows after it if there is a
    /// `refusal`.
    /// - Returns: a report, if announcing has stopped or resumed.
    mutating func note(announced position: Int64, refusal: String?) -> ConsumerReport? {
        assert(position <= recorded, "more is announced than recorded")
        isInDoubt = false
        let before = announced
        announced = position
        if refusal != nil || position < before {
            (outcomes, end) = ([], position)
        } else {
            outcomes.removeFirst(outcomes.firstIndex { $0.place.position > position } ?? outcomes.count)
            end = max(end, position)
        }
        guard let refusal else {
            // A call that announces nothing does not show whether Redis still refuses.
            guard isRefusalKnown, position > before else { return nil }
            isRefusalKnown = false
            return .announcingResumed
        }
        state = .refused
        defer { isRefusalKnown = true }
        return isRefusalKnown ? nil : .announcingRefused(refusal)
    }

    /// Starts over in a new epoch.
    mutating func restart(announced position: Int64, recorded: Int64) {
        let isRefusalKnown = isRefusalKnown
        self = AnnouncementProgress(announced: position, recorded: recorded)
        self.isRefusalKnown = isRefusalKnown
    }

    /// Called once a second. Retries an announcement that was refused. If Redis seems to be at a different position,
    /// the next call reads the position again.
    /// - Parameter found: the position up to which everything is announced, as found in Redis.
    mutating func check(found: Int64?) {
        if case .refused = state { state = .ready }
        if found != announced { isInDoubt = true }
    }
}

/// The rows of the journal after one position, through another.
struct JournalRange: Sendable, Equatable {
    var after: Int64
    var through: Int64
}
