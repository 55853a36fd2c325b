import Inventory
import LuaScripts
import RedisClient

extension CounterStore {
    /// Writes down how far the ledger is, acknowledges, announces. Repeating it is harmless.
    ///
    /// - Parameter keepOutcomes: about how many outcomes their stream keeps.
    package func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeAnswer {
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
            command.append(outcomes: announcement?.outcomes ?? [])
            command.append(outcomes: acknowledgement.repeated)
            command.append(acknowledgement.changed.count)
            for id in acknowledgement.changed { command.append(id.text) }
        }
        return try Self.answer(reply)
    }

    private static func answer(_ reply: RedisValue) throws -> AcknowledgeAnswer {
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

/// What an outcome on the stream has, in the order of the values below.
private let outcomeFields = ["epoch", "position"] + Outcome.fields

extension RedisCommand {
    /// How many there are, then the values of `outcomeFields` of each.
    fileprivate mutating func append(outcomes: [RecordedOutcome]) {
        append(outcomes.count)
        for recorded in outcomes {
            let outcome = recorded.outcome
            append(recorded.place.epoch)
            append(recorded.place.position)
            append(outcome.kind.rawValue)
            for kind in Command.Kind.allCases { append(outcome.ids.text(kind)) }
            append(outcome.reason)
            append(outcome.seq.map(String.init) ?? "")
            append(outcome.units.map(String.init) ?? "")
            append(outcome.decidedAt)
        }
    }
}
