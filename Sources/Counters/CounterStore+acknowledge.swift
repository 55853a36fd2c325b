import Domain
import LuaScripts
import RedisClient
import RedisLayout

extension CounterStore {
    /// Stores the ledger's progress, acknowledges messages, and announces outcomes and changes. Safe to repeat.
    ///
    /// - Parameter keepOutcomes: approximately how many outcomes the stream keeps.
    package func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeResult {
        let announcement = acknowledgement.announcement
        let outcomes = (announcement?.outcomes.count ?? 0) + acknowledgement.repeated.count
        let reply = try await scripts.run(
            .acknowledge, keys: [keys.stock, keys.checkouts, keys.outcomes, keys.intake],
            capacity: acknowledgement.entries.count * 24 + outcomes * 190
        ) { command in
            command.append(ledger)
            command.append(acknowledgement.epoch)
            command.append(acknowledgement.settled)
            command.append(acknowledgement.recorded)
            command.append(StoreKeys.group)
            command.append(keepOutcomes)
            command.append(keys.changes)
            command.append(announcement.map { String($0.after) } ?? "")
            command.append(announcement.map { String($0.through) } ?? "")
            command.append(acknowledgement.entries.count)
            for entry in acknowledgement.entries { command.append(entry) }
            command.append(outcomeFields.count)
            for field in outcomeFields { command.append(field) }
            command.append(packed(announcement?.outcomes ?? []))
            command.append(packed(acknowledgement.repeated))
            command.append(acknowledgement.changed.count)
            for id in acknowledgement.changed { command.append(id.text) }
        }
        return try Self.result(reply)
    }

    private static func result(_ reply: RedisValue) throws -> AcknowledgeResult {
        let parts = reply.array ?? []
        if parts.first?.string == "FENCED" { return .fenced }
        guard parts.count == 5, let acknowledged = parts[0].int, let refusal = parts[2].string,
            let unrepeated = parts[3].int, let unpublished = parts[4].int
        else { throw CountersError.unexpectedReply(script: "acknowledge", detail: "not five parts") }
        return .acknowledged(
            AcknowledgeReport(
                acknowledged: acknowledged, announced: parts[1].int, refusal: refusal.isEmpty ? nil : refusal,
                unrepeated: unrepeated, unpublished: unpublished))
    }
}

/// The fields of an outcome on the stream, in the order of the values below.
private let outcomeFields = ["epoch", "position"] + Outcome.fields

/// Packs the values of `outcomeFields` of each outcome, one outcome after the other.
private func packed(_ outcomes: [RecordedOutcome]) -> [UInt8] {
    var values = MessagePackArray(capacity: outcomes.count * 150)
    for recorded in outcomes {
        let outcome = recorded.outcome
        // Sent as strings: Lua's numbers would lose digits.
        values.append(String(recorded.place.epoch))
        values.append(String(recorded.place.position))
        values.append(outcome.kind.rawValue)
        for kind in Command.Kind.allCases { values.append(outcome.ids.text(kind)) }
        values.append(outcome.reason)
        values.append(outcome.seq.map(String.init) ?? "")
        values.append(outcome.units.map(String.init) ?? "")
        values.append(outcome.decidedAt)
    }
    return values.bytes()
}
