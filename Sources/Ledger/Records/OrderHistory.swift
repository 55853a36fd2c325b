import Domain

/// Everything that has happened to one order.
package struct OrderHistory: Sendable, Equatable {
    /// The journal's rows of the order, its cancellations and refunds, and dead letters with its id.
    package var rows: [JournalEntry]
    /// The actions of operators on the order or on these dead letters.
    package var audit: [AuditEntry]

    package init(rows: [JournalEntry], audit: [AuditEntry]) {
        self.rows = rows
        self.audit = audit
    }
}
