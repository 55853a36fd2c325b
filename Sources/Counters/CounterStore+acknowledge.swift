import Inventory
import LuaScripts
import RedisClient

/// What is sent to Redis about a batch that the ledger has committed.
package struct Acknowledgement: Sendable {
    package var epoch: Int64
    /// Highest seq the ledger has recorded.
    package var settled: Int64
    /// How many messages it has recorded (`LedgerHead.messages`).
    package var recorded: Int64
    /// Entry ids to acknowledge.
    package var entries: [String]
    package var outcomes: [Outcome]
    /// Products whose figures changed.
    package var changed: [Identifier]

    package init(
        epoch: Int64, settled: Int64, recorded: Int64, entries: [String], outcomes: [Outcome], changed: [Identifier]
    ) {
        self.epoch = epoch
        self.settled = settled
        self.recorded = recorded
        self.entries = entries
        self.outcomes = outcomes
        self.changed = changed
    }
}

extension Acknowledgement {
    /// Splits it into slices with at most `size` entries, outcomes and changes each; at least one.
    package func slices(of size: Int) -> [Acknowledgement] {
        let count = max(entries.count, outcomes.count, changed.count, 1)
        return stride(from: 0, to: count, by: size).map { start in
            var slice = self
            slice.entries = Array(entries.dropFirst(start).prefix(size))
            slice.outcomes = Array(outcomes.dropFirst(start).prefix(size))
            slice.changed = Array(changed.dropFirst(start).prefix(size))
            return slice
        }
    }
}

/// The result of an acknowledgement.
package enum AcknowledgeAnswer: Sendable, Equatable {
    case acknowledged(AcknowledgeReport)
    /// The counters are another ledger's, of another epoch, behind what the ledger has recorded, or gone; nothing was
    /// done.
    case fenced
}

/// How much of an acknowledgement reached Redis.
package struct AcknowledgeReport: Sendable, Equatable {
    package var acknowledged: Int64
    package var unannounced: Int64
    package var unpublished: Int64

    package init(acknowledged: Int64 = 0, unannounced: Int64 = 0, unpublished: Int64 = 0) {
        self.acknowledged = acknowledged
        self.unannounced = unannounced
        self.unpublished = unpublished
    }

    package mutating func add(_ other: AcknowledgeReport) {
        acknowledged += other.acknowledged
        unannounced += other.unannounced
        unpublished += other.unpublished
    }
}

extension CounterStore {
    /// Writes down how far the ledger is, acknowledges, announces. Repeating it is harmless.
    ///
    /// - Parameter keepOutcomes: about how many outcomes their stream keeps.
    package func acknowledge(_ acknowledgement: Acknowledgement, keepOutcomes: Int) async throws -> AcknowledgeAnswer {
        let capacity = acknowledgement.entries.count * 24 + acknowledgement.outcomes.count * 160
        let reply = try await scripts.run(
            .acknowledge, keys: [keys.stock, keys.checkouts, keys.outcomes, keys.intake], capacity: capacity
        ) { command in
            command.append(ledger)
            command.append(acknowledgement.epoch)
            command.append(acknowledgement.settled)
            command.append(acknowledgement.recorded)
            command.append(StoreKeys.group)
            command.append(keepOutcomes)
            command.append(keys.changes)
            command.append(acknowledgement.entries.count)
            for entry in acknowledgement.entries { command.append(entry) }
            command.append(acknowledgement.outcomes.count)
            for outcome in acknowledgement.outcomes {
                command.append(outcome.kind.rawValue)
                command.append(outcome.orderID)
                command.append(outcome.cancellationID)
                command.append(outcome.adjustmentID)
                command.append(outcome.reason)
                command.append(outcome.seq.map(String.init) ?? "")
                command.append(outcome.units.map(String.init) ?? "")
                command.append(outcome.decidedAt)
            }
            command.append(acknowledgement.changed.count)
            for id in acknowledgement.changed { command.append(id.text) }
        }
        if reply.array?.first?.string == "FENCED" { return .fenced }
        guard let counts = reply.array?.compactMap(\.int), counts.count == 3 else {
            throw CountersError.unexpectedReply(script: "acknowledge", detail: "not three counts")
        }
        return .acknowledged(AcknowledgeReport(acknowledged: counts[0], unannounced: counts[1], unpublished: counts[2]))
    }
}
