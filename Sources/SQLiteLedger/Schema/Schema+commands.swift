import Domain

/// The details of the journal's rows, for all commands except orders: one table per kind, and another one if the
/// command has lines.
extension Schema {
    static let commandDetails = """
        CREATE TABLE cancellation_details (
            position INTEGER PRIMARY KEY REFERENCES journal (position),
            order_number INTEGER NOT NULL REFERENCES order_details (number),
            cancelled_at TEXT,
            restock INTEGER NOT NULL CHECK (restock IN (0, 1)),
            -- Requested units that the order did not own.
            not_owned INTEGER NOT NULL CHECK (not_owned >= 0)
        ) STRICT;
        CREATE INDEX cancellation_details_order_number ON cancellation_details (order_number);

        -- One row per SKU. Ids are those of the message, which may name SKUs that the order never contained.
        CREATE TABLE cancellation_lines (
            position INTEGER NOT NULL REFERENCES cancellation_details (position),
            line INTEGER NOT NULL,
            product_id TEXT NOT NULL,
            variant_id TEXT,
            -- NULL: all that the order owned.
            asked INTEGER CHECK (asked > 0),
            -- The units that the order owned and lost, and those of them that were returned to the counters.
            released INTEGER NOT NULL CHECK (released >= 0),
            given_back INTEGER NOT NULL CHECK (given_back IN (0, released)),
            PRIMARY KEY (position, line)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE adjustment_details (
            position INTEGER PRIMARY KEY REFERENCES journal (position),
            product_id TEXT NOT NULL REFERENCES catalogue_products (id),
            variant_id TEXT REFERENCES catalogue_variants (id),
            reason TEXT NOT NULL,
            adjusted_at TEXT
        ) STRICT;

        CREATE TABLE refund_details (
            position INTEGER PRIMARY KEY REFERENCES journal (position),
            -- The id of an order, or of dead letters only.
            order_id TEXT NOT NULL,
            -- Removed by 'orders erase'.
            payment_intent_id TEXT,
            -- In minor units; NULL: all that was due.
            amount INTEGER CHECK (amount > 0),
            currency TEXT,
            refunded_at TEXT
        ) STRICT;
        CREATE INDEX refund_details_order_id ON refund_details (order_id);

        -- The refunded amount of each payment that was due at that time; a payment may become due again.
        CREATE TABLE refund_lines (
            position INTEGER NOT NULL REFERENCES refund_details (position),
            line INTEGER NOT NULL,
            -- Digest of the order's id and the payment intent, which may have to be erased.
            payment_digest BLOB NOT NULL,
            -- NULL: all of an unknown amount.
            amount INTEGER CHECK (amount > 0),
            -- Whether nothing of the payment remained due.
            is_settled INTEGER NOT NULL CHECK (is_settled IN (0, 1)),
            PRIMARY KEY (position, line)
        ) STRICT, WITHOUT ROWID;
        """

    /// The same data as people query it: names and columns are public (`Schema+views.swift`).
    static let commandViews = """
        CREATE VIEW cancellations AS
            SELECT journal.key AS id, placed.key AS order_id, cancelled_at, restock, journal.seq, journal.epoch,
                journal.units, not_owned, journal.decided_at, journal.entry_id, journal.digest, details.position,
                journal."by"
            FROM cancellation_details AS details
            LEFT JOIN journal ON journal.position = details.position AND journal.kind = 'cancellation'
            LEFT JOIN order_details ON order_details.number = order_number
            LEFT JOIN journal AS placed ON \(isOrder("placed", numbered: "details.order_number"));

        CREATE VIEW cancellation_items AS
            SELECT journal.key AS cancellation_id, line, product_id, variant_id, asked, released, given_back
            FROM cancellation_lines AS lines
            LEFT JOIN journal ON journal.position = lines.position AND journal.kind = 'cancellation';

        CREATE VIEW adjustments AS
            SELECT journal.key AS id, product_id, variant_id, journal.units AS quantity, details.reason, adjusted_at,
                journal.seq, journal.epoch, journal.decided_at, journal.entry_id, journal.digest, details.position,
                journal."by"
            FROM adjustment_details AS details
            LEFT JOIN journal ON journal.position = details.position AND journal.kind = 'adjustment';

        -- Refunds that were made; 'refunds' contains those that are due.
        CREATE VIEW order_refunds AS
            SELECT journal.key AS id, order_id, payment_intent_id, amount, currency, refunded_at, journal.epoch,
                journal.decided_at, journal.entry_id, journal.digest, details.position, journal."by"
            FROM refund_details AS details
            LEFT JOIN journal ON journal.position = details.position AND journal.kind = 'refund';
        """

    /// Returns an SQL expression for the id of the order that a command of this kind refers to, or `nil` if it refers
    /// to none.
    static func orderID(ofJournal kind: Command.Kind) -> String? {
        switch kind {
        case .placeOrder, .adjust: nil
        case .cancel:
            """
            (SELECT placed.key FROM cancellation_details AS details
                JOIN order_details ON order_details.number = details.order_number
                JOIN journal AS placed ON placed.position = order_details.position
                WHERE details.position = journal.position)
            """
        case .refund: "(SELECT order_id FROM refund_details AS details WHERE details.position = journal.position)"
        }
    }

    /// The same expression for a journal row of any kind.
    static let orderIDOfJournal: String = {
        let kinds = Command.Kind.allCases.compactMap { kind in
            orderID(ofJournal: kind).map { "WHEN '\(kind.noun)' THEN \($0)" }
        }
        return "CASE journal.kind \(kinds.joined(separator: " ")) END"
    }()
}
