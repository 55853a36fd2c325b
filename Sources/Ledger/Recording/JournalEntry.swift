import Domain
import TextEncodings

/// What a row of the journal is about. The raw values are public.
package enum JournalKind: RawRepresentable, Hashable, Sendable, CaseIterable {
    case command(Command.Kind)
    case deadLetter
    /// A change of the catalogue.
    case catalogue

    package static let allCases = Command.Kind.allCases.map(JournalKind.command) + [.deadLetter, .catalogue]

    package var rawValue: String {
        switch self {
        case .command(let kind): kind.noun
        case .deadLetter: "dead_letter"
        case .catalogue: "catalogue"
        }
    }

    package init?(rawValue: String) {
        guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = kind
    }

    package init(_ kind: Command.Kind) { self = .command(kind) }

    package static let order = command(.placeOrder)
}

/// A row of the journal: something that was recorded. It never changes.
package struct JournalEntry: Sendable, Equatable {
    /// 1, 2, 3 … in the order of recording, without a gap.
    package var position: Int64
    package var kind: JournalKind
    /// With `kind`, unique: the id that the message's publisher gave it; of a dead letter its entry's id and
    /// fingerprint; of a change of the catalogue its version.
    package var key: Identifier
    /// Of the content; empty for a change of the catalogue.
    package var digest: [UInt8]
    /// As it is announced; of a change of the catalogue `catalogue`.
    package var outcome: String
    package var reason: String?
    /// nil: no counter changed.
    package var seq: Int64?
    package var epoch: Int64
    package var units: Int64?
    /// RFC 3339, UTC.
    package var decidedAt: String
    /// nil: it did not come in a message.
    package var entryID: String?
    /// Of an order or a dead letter: its own number.
    package var number: Int64?
    /// Who asked for it; nil: nobody has said.
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

/// What is announced of consecutive rows of the journal.
package struct JournalOutcomes: Sendable, Equatable {
    /// A change of the catalogue has none.
    package var outcomes: [RecordedOutcome]
    /// Position of the last row that was read.
    package var through: Int64

    package init(outcomes: [RecordedOutcome], through: Int64) {
        self.outcomes = outcomes
        self.through = through
    }
}

extension JournalEntry {
    /// What was announced of it; nil: nothing was, as it did not come in a message.
    /// - Parameter ids: of a cancellation that of its order, of a dead letter all that can be read of it.
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
    /// As the journal has it.
    package var journalKey: Identifier { Identifier("\(entryID)/\(fingerprint.hex)") }
}
