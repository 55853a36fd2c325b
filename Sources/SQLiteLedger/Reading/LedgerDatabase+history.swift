import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func history(of order: Identifier) async throws -> OrderHistory {
        try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM journal WHERE position IN (\(Self.positionsOfOrder)) ORDER BY position",
                arguments: [order.text]
            ).map(Self.journalEntry)
            let audit = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM audit WHERE subject = ?1 AND action IN ('erase_order', 'show_order')
                    UNION ALL
                    SELECT audit.* FROM dead_letters CROSS JOIN audit ON subject = CAST(dead_letters.id AS TEXT)
                    WHERE order_id = ?1 AND action IN ('replay_dead_letter', 'discard_dead_letter', 'show_dead_letter')
                    ORDER BY id
                    """, arguments: [order.text]
            ).map(Self.auditEntry)
            return OrderHistory(rows: rows, audit: audit)
        }
    }

    private static let positionsOfOrder = """
        SELECT position FROM journal WHERE key = ?1 AND kind = 'order'
        UNION ALL SELECT position FROM cancellation_details WHERE order_number = \(Schema.orderNumber(ofID: "?1"))
        UNION ALL SELECT position FROM refund_details WHERE order_id = ?1
        UNION ALL SELECT position FROM dead_letters WHERE order_id = ?1
        """
}
