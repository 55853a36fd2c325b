/// What an operator has done that decides nothing, and so is no row of the journal.
package struct AuditEntry: Sendable, Equatable {
    /// The raw values are public.
    package enum Action: String, Sendable, CaseIterable {
        /// The customer's data of an order, and of dead letters with its id, was removed.
        case eraseOrder = "erase_order"
        case replayDeadLetter = "replay_dead_letter"
        case discardDeadLetter = "discard_dead_letter"
        /// A customer's data was looked at: of an order, in a dead letter's content.
        case showOrder = "show_order"
        case showDeadLetter = "show_dead_letter"
        /// Drift was repaired; the subject is the epoch that was asked for.
        case repair
        /// The ledger was made the one that Redis follows; the subject is the epoch that it had to pass.
        case adopt
        /// A backup took the ledger's place; as for `adopt`.
        case restore
    }

    package var number: Int64
    package var action: Action
    /// The order's id, the dead letter's number, an epoch.
    package var subject: String
    /// nil: nobody has said.
    package var by: String?
    /// RFC 3339, UTC.
    package var doneAt: String

    package init(number: Int64, action: Action, subject: String, by: String?, doneAt: String) {
        self.number = number
        self.action = action
        self.subject = subject
        self.by = by
        self.doneAt = doneAt
    }
}
