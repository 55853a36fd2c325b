import Domain

/// The progress of the ledger that is sent to Redis: what to acknowledge, and what to announce.
package struct Acknowledgement: Sendable {
    package var epoch: Int64
    /// The highest seq the ledger has recorded.
    package var settled: Int64
    /// The number of messages that the ledger has recorded (`LedgerHead.messages`).
    package var recorded: Int64
    /// The ids of the entries to acknowledge.
    package var entries: [String]
    /// The next rows of the journal, or nil to announce none.
    package var announcement: Announcement?
    /// The original outcomes of messages that were received again.
    package var repeated: [RecordedOutcome]
    /// Products whose availability changed.
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

    /// Splits the acknowledgement into slices with at most `size` entries, rows, repeated outcomes and changes each; at
    /// least one slice.
    ///
    /// Repeated outcomes are in the slice of the last rows or after it, because they may belong to those rows.
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

/// Rows of the journal that follow the rows already announced.
package struct Announcement: Sendable, Equatable {
    /// The position in the journal up to which everything is announced; if Redis has a different one, nothing is
    /// announced.
    package var after: Int64
    /// The position up to which everything is announced afterwards. Rows in this range that are not among `outcomes`
    /// have no outcome, or are no longer announced.
    package var through: Int64
    /// The outcomes, ordered by position.
    package var outcomes: [RecordedOutcome]

    package init(after: Int64, through: Int64, outcomes: [RecordedOutcome]) {
        assert(after <= through, "an announcement only moves forward")
        self.after = after
        self.through = through
        self.outcomes = outcomes
    }

    /// Splits the announcement into consecutive announcements of at most `size` outcomes each; at least one.
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
    /// The counters belong to another ledger or another epoch, are behind the ledger, or were deleted; nothing was
    /// done.
    case fenced
}

/// The part of an acknowledgement that took effect in Redis.
package struct AcknowledgeReport: Sendable, Equatable {
    package var acknowledged: Int64 = 0
    /// The position in the journal up to which everything is announced, or nil if Redis does not know.
    package var announced: Int64?
    /// The error with which Redis refused to announce a row, or nil if it refused none.
    package var refusal: String?
    /// The number of repeated outcomes that were not announced, because Redis refused the first of them.
    package var unrepeated: Int64 = 0
    /// The number of changes that Redis refused to publish.
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

    /// Adds the report of the next slice.
    package mutating func add(_ next: AcknowledgeReport) {
        acknowledged += next.acknowledged
        announced = next.announced
        refusal = refusal ?? next.refusal
        unrepeated += next.unrepeated
        unpublished += next.unpublished
    }
}
