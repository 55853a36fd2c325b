/// The refunds that are due, and their sums.
extension Schema {
    /// The condition for rows of dead letters with an order id.
    static let isOfLetters = "dead_letter_id IS NOT NULL AND order_id IS NOT NULL"

    /// Returns the condition for those rows of dead letters that an order recorded later may end. A conflict is
    /// excluded, because its order exists already.
    /// - Parameter row: the row's name in the query; `nil` for an index, where it has none.
    static func awaitsOrder(_ row: String? = nil) -> String {
        let row = row.map { "\($0)." } ?? ""
        return "\(row)dead_letter_id IS NOT NULL AND \(row)order_id IS NOT NULL AND \(row)reason != 'order_conflict'"
    }

    /// Returns a query for the numbers of all refunds that are due under an order's id: its own, and those of dead
    /// letters.
    /// - Parameter id: an SQL expression for the order's id.
    static func refundNumbers(ofOrder id: String) -> String {
        """
        SELECT number FROM refunds WHERE order_number = \(orderNumber(ofID: id))
        UNION ALL SELECT number FROM refunds WHERE \(isOfLetters) AND order_id = \(id)
        """
    }

    /// Returns an SQL expression for the currency under which a row is summed: a code of three letters. All other
    /// values in messages are summed under '', which limits the number of sums, and keeps external text out of the
    /// metrics.
    static func sumCurrency(_ row: String) -> String {
        "CASE WHEN \(row).currency GLOB '[A-Za-z][A-Za-z][A-Za-z]' THEN lower(\(row).currency) ELSE '' END"
    }

    /// Returns what a row adds to each column of `refund_sums` after the currency. Amounts are summed in two parts: a
    /// thousand of the largest ones would overflow 64 bits, SQLite would convert the sum to floating point, and
    /// recording would stop.
    static func sumColumns(_ row: String) -> [(column: String, value: String)] {
        [
            ("refunds", "1"), ("unknown_amounts", "(\(row).amount IS NULL)"),
            ("amount_millions", "coalesce(\(row).amount, 0) / 1000000"),
            ("amount_rest", "coalesce(\(row).amount, 0) % 1000000"),
        ]
    }

    /// The sums have no constraints: a wrong sum must not stop recording. 'ledger check' computes the sums again.
    static let refunds = """
        -- Payments that must be refunded. One row for each payment of an order, however many messages named it. These
        -- rows survive 'orders erase' and 'dead-letters discard'.
        CREATE TABLE refunds (
            -- In the order in which they became due.
            number INTEGER PRIMARY KEY,
            -- The refused order.
            order_number INTEGER REFERENCES order_details (number),
            -- The latest dead letter, if no order was refused.
            dead_letter_id INTEGER REFERENCES dead_letters (id),
            -- NULL if it could not be read; the row then belongs to a single dead letter.
            order_id TEXT,
            payment_intent_id TEXT,
            -- In minor units; NULL if unknown.
            amount INTEGER CHECK (amount > 0),
            -- The amount that was already refunded; 'amount' is the rest.
            refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
            -- Whether the amount is the sum of the message's items, because the message has no total.
            is_worked_out INTEGER NOT NULL CHECK (is_worked_out IN (0, 1)),
            currency TEXT,
            -- The reason for the refusal or for the dead letter.
            reason TEXT NOT NULL,
            since TEXT NOT NULL,
            CHECK ((order_number IS NULL) != (dead_letter_id IS NULL))
        ) STRICT;
        -- There may be tens of thousands of refused orders. They are found by their numbers, which are adjacent. An
        -- index of all rows by order id was tried, and doubled the time to record a refused order.
        CREATE UNIQUE INDEX refunds_order_number ON refunds (order_number) WHERE order_number IS NOT NULL;
        CREATE UNIQUE INDEX refunds_payment ON refunds (order_id, coalesce(payment_intent_id, ''))
            WHERE \(isOfLetters);
        -- The rows that an order may end. Conflicts, of which there may be many, are excluded.
        CREATE INDEX refunds_awaiting_order ON refunds (order_id) WHERE \(awaitsOrder());
        CREATE UNIQUE INDEX refunds_dead_letter_id ON refunds (dead_letter_id)
            WHERE dead_letter_id IS NOT NULL AND order_id IS NULL;

        -- The sums per currency, maintained by triggers. The amount is millions × 1,000,000 + rest.
        CREATE TABLE refund_sums (
            currency TEXT PRIMARY KEY NOT NULL,
            refunds INTEGER NOT NULL,
            unknown_amounts INTEGER NOT NULL,
            amount_millions INTEGER NOT NULL,
            amount_rest INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The same sums for people and programs that query. The currency is '' if no code of three letters is known.
        CREATE VIEW refunds_due AS
            SELECT currency, refunds, unknown_amounts, amount_millions * 1000000 + amount_rest AS amount
            FROM refund_sums WHERE refunds != 0;

        CREATE TRIGGER refunds_inserted AFTER INSERT ON refunds BEGIN \(added("NEW")) END;
        CREATE TRIGGER refunds_deleted AFTER DELETE ON refunds BEGIN \(removed("OLD")) END;
        CREATE TRIGGER refunds_updated AFTER UPDATE ON refunds BEGIN \(removed("OLD")) \(added("NEW")) END;
        """

    private static func added(_ row: String) -> String {
        let columns = sumColumns(row)
        return """
            INSERT INTO refund_sums (currency, \(columns.map(\.column).joined(separator: ", ")))
            VALUES (\(sumCurrency(row)), \(columns.map(\.value).joined(separator: ", ")))
            ON CONFLICT (currency) DO UPDATE SET \
            \(columns.map { "\($0.column) = \($0.column) + excluded.\($0.column)" }.joined(separator: ", "));
            UPDATE ledger SET refunds_awaiting_order = refunds_awaiting_order + 1 WHERE \(awaitsOrder(row));
            """
    }

    private static func removed(_ row: String) -> String {
        """
        UPDATE refund_sums SET \(sumColumns(row).map { "\($0.column) = \($0.column) - \($0.value)" }.joined(separator: ", "))
        WHERE currency = \(sumCurrency(row));
        UPDATE ledger SET refunds_awaiting_order = refunds_awaiting_order - 1 WHERE \(awaitsOrder(row));
        """
    }
}
