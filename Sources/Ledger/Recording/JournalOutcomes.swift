import Domain

/// The announced outcomes of consecutive rows of the journal.
package struct JournalOutcomes: Sendable, Equatable {
    /// The outcomes; changes of the catalogue have none.
    package var outcomes: [RecordedOutcome]
    /// The position of the last row that was read.
    package var through: Int64

    package init(outcomes: [RecordedOutcome], through: Int64) {
        self.outcomes = outcomes
        self.through = through
    }
}
