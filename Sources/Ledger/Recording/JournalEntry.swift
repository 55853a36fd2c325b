import Domain
import TextEncodings

/// A row of the journal. It never changes once it is recorded.
package struct JournalEntry: Sendable, Equatable {
    /// 1, 2, 3 … in the order of recording, without gaps.
    package var position: Int64
    package var kind: JournalKind
    /// Unique together with `kind`: the id that the publisher gave to the message; for a dead letter, its entry's id
    /// and fingerprint; for a catalogue change, its version.
    package var key: Identifier
    /// The digest of the content; empty for a catalogue change.
    package var digest: [UInt8]
    /// The outcome as announced; `catalogue` for a catalogue change.
    package var outcome: String
    package var reason: String?
    /// `nil` if no counter changed.
    package var seq: Int64?
    package var epoch: Int64
    package var units: Int64?
    /// RFC 3339, UTC.
    package var decidedAt: String
    /// `nil` if the row does not stem from a message.
    package var entryID: String?
    /// The number of the order or dead letter; `nil` for other kinds.
    package var number: Int64?
    /// The operator or system that requested it; `nil` if none was named.
    package var by: String?

    package init(
        position: Int64, kind: JournalKind, key: Identifier, digest: [UInt8], outcome: String, reason: String? = nil,
        seq: Int64? = nil, epoch: Int64, units: Int64? = nil, decidedAt: String, entryID: String? = nil,
        number: Int64? = nil, by: String? = nil
    ) {
        self.position = position
        self.kind = kind
        self.key = key
        self.digest = digest
        self.outcome = outcome
        self.reason = reason
        self.seq = seq
        self.epoch = epoch
        self.units = units
        self.decidedAt = decidedAt
        self.entryID = entryID
        self.number = number
        self.by = by
    }

    package var place: EpochPosition { EpochPosition(epoch: epoch, position: position) }
}

extension JournalEntry {
    /// Returns the outcome that was announced for this row, or `nil` if it does not stem from a message.
    /// - Parameter ids: for a cancellation, its order's id; for a dead letter, all ids that could be read.
    package func recordedOutcome(ids: MessageIDs) -> RecordedOutcome? {
        guard let outcomeKind = Outcome.Kind(rawValue: outcome) else { return nil }
        var ids = ids
        switch kind {
        case .command(let kind): ids[kind] = key
        case .deadLetter, .catalogue: break
        }
        var announced = Outcome(kind: outcomeKind, ids: ids, reason: reason ?? "", decidedAt: decidedAt)
        (announced.seq, announced.units) = (seq, units)
        return RecordedOutcome(outcome: announced, place: place)
    }
}

extension EntryIdentity {
    /// The entry's key in the journal.
    package var journalKey: Identifier { Identifier("\(entryID)/\(fingerprint.hex)") }
}
