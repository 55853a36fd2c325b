import Counters
import Domain
import Ledger

/// How far the journal is announced, and what comes next: announcing is a projection of the journal, in the order of its
/// positions. Does no I/O.
///
/// The rows of a batch are announced from memory if everything before them is announced, or in memory, too. All others
/// are read from the ledger, a slice at a time: after a refusal, at a start, in an epoch that follows another one.
struct AnnouncementProgress {
    enum State {
        case ready
        /// The ledger is being read.
        case reading
        /// Redis refuses to announce; the next watch ends that.
        case refused
    }

    private(set) var state = State.ready
    /// Everything up to this position is announced, as far as Redis has said.
    private(set) var announced: Int64
    /// Position of the journal's last row, as far as we know.
    private(set) var recorded: Int64
    /// What is announced next: the outcomes of the rows behind `announced`, up to `end`.
    private var outcomes: [RecordedOutcome] = []
    private var end: Int64
    /// Redis may have forgotten what it has announced.
    private var isInDoubt = false
    /// Whether a refusal was reported.
    private var isRefusalKnown = false

    init(announced: Int64, recorded: Int64) {
        assert(announced <= recorded, "more is announced than recorded")
        self.announced = announced
        self.recorded = recorded
        end = announced
    }

    var isComplete: Bool { announced == recorded && !isInDoubt }

    /// What is announced with the next call to Redis; nil: nothing.
    var next: Announcement? {
        if case .refused = state { return nil }
        if end == announced, !isInDoubt { return nil }
        return Announcement(after: announced, through: end, outcomes: outcomes)
    }

    /// The ledger has recorded these rows, the last of them at `position`.
    mutating func add(_ rows: [RecordedOutcome], through position: Int64) {
        assert(rows.last.map { $0.place.position == position } ?? true, "a batch's rows follow each other")
        if case .ready = state, end == recorded, position == recorded + Int64(rows.count) {
            outcomes += rows
            end = position
        }
        recorded = max(recorded, position)
    }

    /// The rows that must be read from the ledger now; nil: none.
    mutating func rowsToRead() -> JournalRange? {
        guard case .ready = state, end == announced, announced < recorded, !isInDoubt else { return nil }
        state = .reading
        return JournalRange(after: announced, through: recorded)
    }

    mutating func read(_ rows: JournalOutcomes, of range: JournalRange) {
        guard case .reading = state else { return }
        state = .ready
        // Else Redis has said otherwise meanwhile.
        guard range.after == announced, end == announced else { return }
        assert(rows.through <= recorded, "more was read than was asked for")
        outcomes = rows.outcomes
        end = rows.through
    }

    /// Redis has announced everything up to `position`, and refused what follows if there is a `refusal`.
    /// - Returns: what is worth telling.
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
            // What announces nothing says nothing of it.
            guard isRefusalKnown, position > before else { return nil }
            isRefusalKnown = false
            return .announcingResumed
        }
        state = .refused
        defer { isRefusalKnown = true }
        return isRefusalKnown ? nil : .announcingRefused(refusal)
    }

    /// A new epoch is open.
    mutating func restart(announced position: Int64, recorded: Int64) {
        let isRefusalKnown = isRefusalKnown
        self = AnnouncementProgress(announced: position, recorded: recorded)
        self.isRefusalKnown = isRefusalKnown
    }

    /// Once a second: what was refused is tried again, and if Redis seems to be at another position, it is asked.
    /// - Parameter found: the position up to which everything is announced, as it was found in Redis.
    mutating func look(found: Int64?) {
        if case .refused = state { state = .ready }
        if found != announced { isInDoubt = true }
    }
}

/// Rows of the journal behind one position, up to another.
struct JournalRange: Sendable, Equatable {
    var after: Int64
    var through: Int64
}
