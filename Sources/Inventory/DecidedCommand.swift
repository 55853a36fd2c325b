/// A command with its decision: what the ledger records, and what is announced.
package struct DecidedCommand: Sendable {
    /// Its movements were made unless the decision is `refused`; if it is `unchanged`, they change only `adjusted`.
    package var planned: PlannedCommand
    package var decision: Decision
    /// RFC 3339, UTC.
    package var decidedAt: String
    /// The id of the stream entry that it came in.
    package var entryID: String

    package var command: Command { planned.command }

    package init(_ planned: PlannedCommand, _ decision: Decision, decidedAt: String, entryID: String) {
        self.planned = planned
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
