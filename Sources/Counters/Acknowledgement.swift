import Domain

/// What is sent to Redis about what the ledger has committed: what is acknowledged, and what is announced.
package struct Acknowledgement: Sendable {
    package var epoch: Int64
    /// Highest seq the ledger has recorded.
    package var settled: Int64
    /// How many messages it has recorded (`LedgerHead.messages`).
    package var recorded: Int64
    /// Entry ids to acknowledge.
    package var entries: [String]
    /// The next rows of the journal; nil: none are announced.
    package var announcement: Announcement?
    /// First outcomes of messages that came again.
    package var repeated: [RecordedOutcome]
    /// Products whose figures changed.
    package var changed: [Identifier]

    package init(
        epoch: Int64, settled: Int64, recorded: Int64, entries: [String] = [], announcement: Announcement? = nil,
        repeated: [RecordedOutcome] = [], changed: [Identifier] = []
    ) {
        self.epoch = epoch
        self.settled = settled
        self.recorded = recorded
        self.entries = entries
        self.announcement = announcement
        self.repeated = repeated
        self.changed = changed
    }

    /// Splits it into slices with at most `size` entries, rows, repeated outcomes and changes each; at least one.
    ///
    /// What is repeated comes with the last rows, or after them: it may be one of theirs.
    package func slices(of size: Int) -> [Acknowledgement] {
        let rows = announcement?.slices(of: size) ?? []
        let lastRows = max(rows.count - 1, 0)
        let count = max(entries.count, changed.count, lastRows * size + repeated.count, 1)
        return (0..<max(rows.count, (count + size - 1) / size)).map { number in
            func part<T>(_ all: [T], from first: Int = 0) -> [T] {
                number < first ? [] : Array(all.dropFirst((number - first) * size).prefix(size))
            }
            return Acknowledgement(
                epoch: epoch, settled: settled, recorded: recorded, entries: part(entries),
                announcement: number < rows.count ? rows[number] : nil, repeated: part(repeated, from: lastRows),
                changed: part(changed))
        }
    }
}

/// Rows of the journal that follow what is announced already.
package struct Announcement: Sendable, Equatable {
    /// The position in the journal up to which everything is announced; if Redis has another one, nothing is announced.
    package var after: Int64
    /// The position up to which everything is announced with this. Rows in between that are not among the outcomes have
    /// none, or are not announced any more.
    package var through: Int64
    /// In the order of their positions.
    package var outcomes: [RecordedOutcome]

    package init(after: Int64, through: Int64, outcomes: [RecordedOutcome]) {
        assert(after <= through, "announcing goes forward")
        self.after = after
        self.through = through
        self.outcomes = outcomes
    }

    /// Announcements that follow each other, of at most `size` outcomes each; at least one.
    fileprivate func slices(of size: Int) -> [Announcement] {
        var slices: [Announcement] = []
        var rest = outcomes[...]
        var after = after
        repeat {
            let part = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let end = rest.isEmpty ? through : part.last?.place.position ?? through
            slices.append(Announcement(after: after, through: end, outcomes: part))
            after = end
        } while !rest.isEmpty
        return slices
    }
}

/// The result of an acknowledgement.
package enum AcknowledgeResult: Sendable, Equatable {
    case acknowledged(AcknowledgeReport)
    /// The counters are another ledger's, of another epoch, behind what the ledger has recorded, or gone; nothing was
    /// done.
    case fenced
}

/// How much of an acknowledgement reached Redis.
package struct AcknowledgeReport: Sendable, Equatable {
    package var acknowledged: Int64 = 0
    /// The position in the journal up to which everything is announced; nil: Redis does not know.
    package var announced: Int64?
    /// The error by which Redis refused to announce a row; nil: it refused none.
    package var refusal: String?
    /// Repeated outcomes that are not announced: Redis refused the first of them.
    package var unrepeated: Int64 = 0
    /// Changes that Redis refused to publish.
    package var unpublished: Int64 = 0

    package init(
        acknowledged: Int64 = 0, announced: Int64? = nil, refusal: String? = nil, unrepeated: Int64 = 0,
        unpublished: Int64 = 0
    ) {
        self.acknowledged = acknowledged
        self.announced = announced
        self.refusal = refusal
        self.unrepeated = unrepeated
        self.unpublished = unpublished
    }

    /// Adds the report of the slice that follows.
    package mutating func add(_ next: AcknowledgeReport) {
        acknowledged += next.acknowledged
        announced = next.announced
        refusal = refusal ?? next.refusal
        unrepeated += next.unrepeated
        unpublished += next.unpublished
    }
}
