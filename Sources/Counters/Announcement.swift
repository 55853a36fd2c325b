import Domain

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
    func slices(of size: Int) -> [Announcement] {
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
