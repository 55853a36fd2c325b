/// A command with its decision: the value that the ledger records and that is announced.
///
/// It is a class for the same reason as `Order`: recording passes it on several times.
package final class DecidedCommand: Sendable {
    /// The command with its movements. They were applied unless the decision is `refused`; if it is `unchanged`, they
    /// change only `adjusted`.
    package let planned: PlannedCommand
    package let decision: Decision
    /// The time of the decision: RFC 3339, UTC.
    package let decidedAt: String
    /// The id of the stream entry that contained the command.
    package let entryID: String

    package var command: Command { planned.command }

    package init(_ planned: PlannedCommand, _ decision: Decision, decidedAt: String, entryID: String) {
        self.planned = planned
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
