import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func refunds(limit: Int, after: String?) async throws -> (page: Page<RefundDue>, due: RefundsDue) {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let rows = try Row.fetchAll(
                db, sql: "\(Self.refundsDue) WHERE number < ? ORDER BY number DESC LIMIT ?",
                arguments: [request.cursor ?? .max, request.rows])
            return (try request.page(rows, by: "number", Self.refund), try RefundsDue.read(db))
        }
    }

    /// Returns the refunds that are due under an order's id, in the order in which they became due.
    static func refunds(of order: Identifier, _ db: Database) throws -> [RefundDue] {
        let numbers = Schema.refundNumbers(ofOrder: "?1")
        return try Row.fetchAll(
            db, sql: "\(refundsDue) WHERE number IN (\(numbers)) ORDER BY number", arguments: [order.text]
        ).map(refund)
    }

    private static let refundsDue = """
        SELECT *,
            reason = 'order_conflict' OR coalesce(payment_intent_id, '') = '' AND (
                EXISTS (
                    SELECT 1 FROM refunds AS other WHERE other.dead_letter_id IS NOT NULL
                    AND other.order_id = refunds.order_id AND other.number != refunds.number
                ) OR EXISTS (
                    SELECT 1 FROM refunds AS other WHERE other.number != refunds.number
                    AND other.order_number = \(Schema.orderNumber(ofID: "refunds.order_id"))
                )
            ) AS is_to_be_checked,
            order_number IS NOT NULL
                AND EXISTS (SELECT 1 FROM cancellation_details AS c WHERE c.order_number = refunds.order_number)
                AS is_cancelled
        FROM refunds
        """

    private static func refund(_ row: Row) throws -> RefundDue {
        try RefundDue(
            number: row.value("number"), orderID: row.value("order_id"),
            paymentIntentID: row.value("payment_intent_id"),
            amount: row.value("amount"), refunded: row.value("refunded"),
            isWorkedOut: row.value("is_worked_out"), currency: row.value("currency"),
            reason: row.value("reason"), deadLetter: row.value("dead_letter_id"), since: row.value("since"),
            isToBeChecked: (row.value("is_to_be_checked") as Bool?) ?? false, isCancelled: row.value("is_cancelled"))
    }

    /// Returns how many refunds are due for an order: its own, and those of dead letters with its id.
    static func refundCount(of order: Identifier, _ db: Database) throws -> Int {
        try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM (\(Schema.refundNumbers(ofOrder: "?1")))"),
            arguments: [order.text]) ?? 0
    }

    /// Counts the refunds that are missing or should not exist, and the wrong sums, by computing them again.
    static func refundFaults(_ db: Database) throws -> Int {
        let columns = Schema.sumColumns("refunds")
        let names = columns.map(\.column).joined(separator: ", ")
        let counted = columns.map { "sum(\($0.value))" }.joined(separator: ", ")
        let sums =
            "SELECT currency, \(names) FROM refund_sums WHERE \(columns.map { "\($0.column) != 0" }.joined(separator: " OR "))"
        let recount = "SELECT \(Schema.sumCurrency("refunds")), \(counted) FROM refunds GROUP BY 1"
        let questions = [
            "SELECT count(*) FROM (SELECT * FROM (\(sums)) EXCEPT SELECT * FROM (\(recount)))",
            "SELECT count(*) FROM (SELECT * FROM (\(recount)) EXCEPT SELECT * FROM (\(sums)))",
            """
            SELECT refunds_awaiting_order != (SELECT count(*) FROM refunds WHERE \(Schema.awaitsOrder("refunds")))
            FROM ledger
            """,
            // Only a second payment can be due for an accepted order.
            """
            SELECT count(*) FROM refunds JOIN journal ON key = order_id AND kind = 'order'
            WHERE seq IS NOT NULL AND refunds.reason != 'order_conflict'
            """,
            """
            SELECT count(*) FROM order_details WHERE \(Schema.isRefused) AND coalesce(total, (
                SELECT total(unit_price * quantity) FROM order_lines WHERE order_number = number
            )) > 0 AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.order_number = order_details.number)
            AND NOT EXISTS (
                SELECT 1 FROM journal JOIN refund_details ON order_id = key JOIN refund_lines
                    ON refund_lines.position = refund_details.position
                WHERE journal.position = order_details.position
            )
            """,
            // The amount recorded as already refunded must not exceed the recorded refunds.
            """
            SELECT count(*) FROM refunds WHERE refunded > (
                SELECT total(refund_lines.amount)
                FROM refund_details JOIN refund_lines USING (position) WHERE refund_details.order_id = refunds.order_id
            )
            """,
        ]
        return try questions.reduce(0) { faults, sql in try faults + (Int.fetchOne(db, sql: sql) ?? 0) }
    }
}

extension RefundsDue {
    static func read(_ db: Database) throws -> RefundsDue {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT currency, refunds, unknown_amounts, amount_millions, amount_rest FROM refund_sums
                    WHERE refunds != 0 ORDER BY refunds DESC, currency
                    """))
        var due = RefundsDue()
        while let row = try rows.next() {
            let (currency, refunds): (String, Int64) = (try row.value(0), try row.value(1))
            // A damaged sum may have any value; 'ledger check' computes the sums again.
            due.refunds &+= refunds
            due.unknownAmounts &+= try row.value(2)
            guard due.sums.count < maximumSums else { continue }
            let (millions, overflows) = (try row.value(3) as Int64).multipliedReportingOverflow(by: 1_000_000)
            let (amount, sumOverflows) = millions.addingReportingOverflow(try row.value(4))
            due.sums.append(
                Sum(
                    currency: currency.isEmpty ? nil : currency, refunds: refunds,
                    amount: overflows || sumOverflows ? .max : amount))
        }
        return due
    }
}
