/// A place among all that a store has ever recorded, whichever ledger it was in.
///
/// After a backup was put in a ledger's place, positions come again for other records, but only in a higher epoch: no
/// later record has a lower place.
package struct EpochPosition: Sendable, Equatable {
    package var epoch: Int64
    /// In the journal.
    package var position: Int64

    package init(epoch: Int64, position: Int64) {
        self.epoch = epoch
        self.position = position
    }

    /// As commands take and print it, `EPOCH:POSITION`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int64(parts[0]), let position = Int64(parts[1]), epoch >= 0, position >= 0
        else { return nil }
        self.init(epoch: epoch, position: position)
    }

    package var text: String { "\(epoch):\(position)" }
}

/// What became of a message, as it was announced.
package struct RecordedOutcome: Sendable, Equatable {
    package var outcome: Outcome
    package var place: EpochPosition

    package init(outcome: Outcome, place: EpochPosition) {
        self.outcome = outcome
        self.place = place
    }
}
