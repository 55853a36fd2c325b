/// A command with its decision: what the ledger records, and what is announced.
package struct DecidedCommand: Sendable {
    /// Its movements were made unless the decision is `refused`; where it is `unchanged` they move `adjusted` alone.
    package var planned: PlannedCommand
    package var decision: Decision
    /// RFC 3339, UTC.
    package var decidedAt: String
    /// Of the entry of the stream that brought it.
    package var entryID: String

    package var command: Command { planned.command }

    package init(_ planned: PlannedCommand, _ decision: Decision, decidedAt: String, entryID: String) {
        self.planned = planned
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
