import Domain
import StrictJSON

extension RecordedOutcome {
    /// The outcome as commands and `/operator/status` return it: with the fields of the stream, `null` where a field
    /// does not apply.
    package var json: JSONValue {
        JSONValue.members([
            "epoch": .integer(place.epoch), "position": .integer(place.position),
            "outcome": .string(outcome.kind.rawValue),
        ])
        .with(outcome.ids.json)
        .with([
            ("reason", .text(outcome.reason.isEmpty ? nil : outcome.reason)), ("seq", .integer(outcome.seq)),
            ("units", .integer(outcome.units)), ("decided_at", .string(outcome.decidedAt)),
        ])
    }
}

extension MessageIDs {
    /// One member per kind of message.
    package var json: [(String, JSONValue)] { Command.Kind.allCases.map { ($0.idField, .text(self[$0]?.text)) } }
}
