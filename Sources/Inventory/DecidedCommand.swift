/// A command, and how it would change the counters: what the gate decides.
package struct PlannedCommand: Sendable {
    package var command: Command
    /// Each counter once. Of an order all that it asks for; of a cancellation what it takes from its order as that stood.
    package var movements: [Movement]

    package init(_ command: Command, movements: [Movement]) {
        self.command = command
        self.movements = movements
    }
}

/// A command with its decision: what the ledger records, and what is announced.
package struct DecidedCommand: Sendable {
    package var command: Command
    /// Those that were decided; an order that was refused made none of them.
    package var movements: [Movement]
    package var decision: Decision
    /// RFC 3339, UTC.
    package var decidedAt: String
    /// Of the entry of the stream that brought it.
    package var entryID: String

    package init(_ planned: PlannedCommand, _ decision: Decision, decidedAt: String, entryID: String) {
        command = planned.command
        movements = planned.movements
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
