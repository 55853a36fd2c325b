import Domain

/// Everything that has happened to one order.
package struct OrderHistory: Sendable, Equatable {
    /// Rows of the journal: the order, its cancellations and refunds, dead letters with its id.
    package var rows: [JournalEntry]
    /// What operators have done to it or to these dead letters.
    package var audit: [AuditEntry]

    package init(rows: [JournalEntry], audit: [AuditEntry]) {
        self.rows = rows
        self.audit = audit
    }
}
