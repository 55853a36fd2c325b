/// The outcome of a message as it was announced, with its position.
package struct RecordedOutcome: Sendable, Equatable {
    package var outcome: Outcome
    package var place: EpochPosition

    package init(outcome: Outcome, place: EpochPosition) {
        self.outcome = outcome
        self.place = place
    }
}
