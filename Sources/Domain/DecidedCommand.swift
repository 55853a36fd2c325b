/// A command with its decision: what the ledger records, and what is announced.
///
/// A class for the same reason as `Order`: recording passes it on several times.
package final class DecidedCommand: Sendable {
    /// Its movements were made unless the decision is `refused`; if it is `unchanged`, they change only `adjusted`.
    package let planned: PlannedCommand
    package let decision: Decision
    /// RFC 3339, UTC.
    package let decidedAt: String
    /// The id of the stream entry that it came in.
    package let entryID: String

    package var command: Command { planned.command }

    package init(_ planned: PlannedCommand, _ decision: Decision, decidedAt: String, entryID: String) {
        self.planned = planned
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
