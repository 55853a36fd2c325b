/// An action of an operator that decides nothing, and therefore has no row in the journal.
package struct AuditEntry: Sendable, Equatable {
    /// The raw values are public.
    package enum Action: String, Sendable, CaseIterable {
        /// The customer's data was removed from an order and from dead letters with its id.
        case eraseOrder = "erase_order"
        case replayDeadLetter = "replay_dead_letter"
        case discardDeadLetter = "discard_dead_letter"
        /// Customer data was displayed: that of an order, or the content of a dead letter.
        case showOrder = "show_order"
        case showDeadLetter = "show_dead_letter"
        /// Drift was repaired; the subject is the requested epoch.
        case repair
        /// Redis was switched to this ledger; the subject is the epoch that the ledger's next epoch had to exceed.
        case adopt
        /// A backup replaced the ledger; the subject is as for `adopt`.
        case restore
    }

    package var number: Int64
    package var action: Action
    /// The order's id, the dead letter's number, or an epoch.
    package var subject: String
    /// `nil` if no operator was named.
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
