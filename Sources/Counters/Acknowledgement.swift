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
