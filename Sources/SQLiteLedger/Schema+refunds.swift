/// The refunds that are due, and their sums.
extension Schema {
    /// Rows of dead letters with an order id.
    static let isOfLetters = "dead_letter_id IS NOT NULL AND order_id IS NOT NULL"

    /// Those of them that an order recorded later may end. A conflict is with an order that exists already.
    /// - Parameter row: its name in the query; nil: an index has none.
    static func awaitsOrder(_ row: String? = nil) -> String {
        let row = row.map { "\($0)." } ?? ""
        return "\(row)dead_letter_id IS NOT NULL AND \(row)order_id IS NOT NULL AND \(row)reason != 'order_conflict'"
    }

    /// A query for the numbers of all that is due under an order's id: its own refund, and those of dead letters.
    /// - Parameter id: the order's id as an expression.
    static func refundNumbers(ofOrder id: String) -> String {
        """
        SELECT number FROM refunds WHERE order_number = \(orderNumber(ofID: id))
        UNION ALL SELECT number FROM refunds WHERE \(isOfLetters) AND order_id = \(id)
        """
    }

    /// The currency of a row as in the sums: a code of three letters. Anything else in a message is summed up under '',
    /// so that there are few sums, and no external text gets into metrics.
    static func sumCurrency(_ row: String) -> String {
        "CASE WHEN \(row).currency GLOB '[A-Za-z][A-Za-z][A-Za-z]' THEN lower(\(row).currency) ELSE '' END"
    }

    /// What a row adds to each column of `refund_sums` after the currency. Amounts are added up in two parts: a
    /// thousand of the largest would overflow 64 bits, SQLite would turn their sum into a floating-point number, and
    /// nothing could be recorded any more.
    static func sumColumns(_ row: String) -> [(column: String, value: String)] {
        [
            ("refunds", "1"), ("unknown_amounts", "(\(row).amount IS NULL)"),
            ("amount_millions", "coalesce(\(row).amount, 0) / 1000000"),
            ("amount_rest", "coalesce(\(row).amount, 0) % 1000000"),
        ]
    }

    /// Without constraints on the sums: a wrong sum must not stop recording; 'ledger check' counts them again.
    static let refunds = """
        -- Payments that are to be given back. One row for a payment of an order, however many messages it came in.
        -- What stands here outlives 'orders erase' and 'dead-letters discard'.
        CREATE TABLE refunds (
            -- In the order in which they became due.
            number INTEGER PRIMARY KEY,
            -- Of a refused order.
            order_number INTEGER REFERENCES order_details (number),
            -- The latest dead letter, where no order was refused.
            dead_letter_id INTEGER REFERENCES dead_letters (id),
            -- NULL where it could not be read; then the row is of one dead letter.
            order_id TEXT,
            payment_intent_id TEXT,
            -- Minor units; NULL where it is not known.
            amount INTEGER CHECK (amount > 0),
            -- What was given back of it already; the amount is what is left.
            refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
            -- The message has no total: the amount is the sum of its items.
            is_worked_out INTEGER NOT NULL CHECK (is_worked_out IN (0, 1)),
            currency TEXT,
            -- Of the refusal or of the dead letter.
            reason TEXT NOT NULL,
            since TEXT NOT NULL,
            CHECK ((order_number IS NULL) != (dead_letter_id IS NULL))
        ) STRICT;
        -- Refused orders may come by the ten thousand: they are found by their numbers, which lie side by side. An index of
        -- all by the order's id was tried, and made recording a refused order take twice as long.
        CREATE UNIQUE INDEX refunds_order_number ON refunds (order_number) WHERE order_number IS NOT NULL;
        CREATE UNIQUE INDEX refunds_payment ON refunds (order_id, coalesce(payment_intent_id, ''))
            WHERE \(isOfLetters);
        -- Those that an order may end. Conflicts, which may be many, are none of them.
        CREATE INDEX refunds_awaiting_order ON refunds (order_id) WHERE \(awaitsOrder());
        CREATE UNIQUE INDEX refunds_dead_letter_id ON refunds (dead_letter_id)
            WHERE dead_letter_id IS NOT NULL AND order_id IS NULL;

        -- What is due in each currency, kept by triggers. The amount is millions × 1,000,000 + rest.
        CREATE TABLE refund_sums (
            currency TEXT PRIMARY KEY NOT NULL,
            refunds INTEGER NOT NULL,
            unknown_amounts INTEGER NOT NULL,
            amount_millions INTEGER NOT NULL,
            amount_rest INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The same for people and programs that query. The currency is '' where none of three letters is known.
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
