import GRDB
import Domain

/// The tables of the ledger. Names and columns are public: people query them with `sqlite3`.
///
/// To change them, add a new migration at the end; never edit one that has been released.
enum Schema {
    /// "STKT": marks a SQLite file as a Stocktake ledger (`PRAGMA application_id`).
    static let applicationID: Int64 = 0x5354_4B54

    /// - Parameter new: identity and store of a ledger that is being created. They are written in one transaction with
    ///   its tables, so that an interrupted creation leaves an empty file and not half a ledger.
    static func migrator(creating new: (identity: String, store: String)? = nil) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-journal") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: version1)
            guard let new else { return }
            try db.execute(
                sql: """
                    INSERT INTO ledger (id, state, identity, store, epoch, seq, position, catalogue_version, created_at)
                    VALUES (1, random(), ?, ?, 0, 0, 0, 0, ?)
                    """,
                arguments: [new.identity, new.store, Timestamp.now()])
        }
        return migrator
    }

    /// How the tables of a ledger compare with those that this version creates.
    enum SchemaState {
        /// They are those of this version, or of an earlier one.
        case known
        /// A newer version has changed them.
        case newer
        /// They are those of a version before the first release, which cannot be migrated.
        case unreleased
        /// No version creates tables like these: the list of migrations is damaged.
        case damaged
    }

    static func standing(_ db: Database) throws -> SchemaState {
        let migrator = migrator()
        do {
            guard try migrator.hasBeenSuperseded(db) else { return .known }
            let applied = try migrator.appliedIdentifiers(db)
            if applied == ["1-ledger"] { return .unreleased }
            // A newer version has applied all migrations of this version, and more.
            let known = Set(migrator.migrations)
            return applied.isStrictSuperset(of: known) ? .newer : .damaged
        } catch {
            guard SQLiteLedgerError.damage(error) != nil else { throw error }
            return .damaged
        }
    }

    /// `journal` and `catalogue_products` are rowid tables: their rows are long, and a b-tree with random string ids as
    /// keys would move them around. The lines of an order are clustered by the order's number, not by its id, so that
    /// lines recorded together are adjacent. With random ids, each line changed a separate page, which halved the
    /// recording rate.
    private static let version1 = """
        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            -- A random value that changes with each transaction, and the previous value: they show whether a log
            -- belongs to the file beside it. They are read from the bytes of the page, so they must remain the first
            -- columns after the id.
            state INTEGER NOT NULL DEFAULT 0,
            state_before INTEGER NOT NULL DEFAULT 0,
            identity TEXT NOT NULL,
            store TEXT NOT NULL,
            epoch INTEGER NOT NULL CHECK (epoch >= 0),
            -- The highest recorded seq. Each batch must continue it without a gap, so seqs are unique.
            seq INTEGER NOT NULL CHECK (seq >= 0),
            -- The position of the journal's last row. It also reveals an older ledger that lacks only refusals, which
            -- have no seq.
            position INTEGER NOT NULL CHECK (position >= 0),
            -- The number of refused orders, because counting many of them takes long.
            refused INTEGER NOT NULL DEFAULT 0 CHECK (refused >= 0),
            catalogue_version INTEGER NOT NULL CHECK (catalogue_version >= 0),
            -- Removals that no checkpoint has followed yet: the log must be checkpointed into the file and emptied.
            checkpoint_wanted INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint_wanted >= 0),
            -- The size of the content of all dead letters, maintained by triggers, because a sum would read all of it.
            dead_letter_bytes INTEGER NOT NULL DEFAULT 0 CHECK (dead_letter_bytes >= 0),
            -- Refunds of dead letters that an accepted order would end; maintained by triggers.
            refunds_awaiting_order INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE categories (
            name TEXT PRIMARY KEY NOT NULL,
            position INTEGER NOT NULL
        ) STRICT;

        -- The catalogue that 'sync' writes, without the counters, which change with every order.
        CREATE TABLE catalogue_products (
            id TEXT PRIMARY KEY NOT NULL REFERENCES product_counters (id),
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            long_description TEXT,
            category TEXT NOT NULL,
            dev_status INTEGER NOT NULL CHECK (dev_status BETWEEN 0 AND 5),
            base_price INTEGER NOT NULL CHECK (base_price > 0),
            stripe_product_id TEXT,
            has_variants INTEGER NOT NULL CHECK (has_variants IN (0, 1)),
            requires_assembly INTEGER NOT NULL CHECK (requires_assembly IN (0, 1)),
            images TEXT,
            specs TEXT,
            metadata TEXT,
            is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
            -- The catalogue version that last changed the row.
            catalogue_version INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE catalogue_variants (
            id TEXT PRIMARY KEY NOT NULL REFERENCES variant_counters (id),
            product_id TEXT NOT NULL REFERENCES catalogue_products (id),
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            stripe_product_id TEXT,
            images TEXT,
            specs TEXT,
            metadata TEXT,
            is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
            -- The catalogue version that last changed the row.
            catalogue_version INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX catalogue_variants_product_id ON catalogue_variants (product_id);

        \(CapLevel.allCases.map(counters(of:)).joined(separator: "\n\n"))

        -- All recorded decisions, dead letters and catalogue changes, in the order of recording. Rows are never changed
        -- or deleted; data that changes later, or that only one kind has, is in the tables of details.
        CREATE TABLE journal (
            -- 1, 2, 3 … without gaps.
            position INTEGER PRIMARY KEY,
            -- order, cancellation, adjustment, refund, dead_letter, catalogue.
            kind TEXT NOT NULL,
            -- The id that the publisher gave to the message; for a dead letter, its entry's id and fingerprint; for a
            -- catalogue change, the new version.
            key TEXT NOT NULL,
            -- Of the content; NULL for a catalogue change.
            digest BLOB,
            -- As announced: accepted, refused, cancelled, adjusted, refunded, dead_letter, catalogue.
            outcome TEXT NOT NULL,
            -- The reason for a refusal or a dead letter, or for units of a cancellation that its order did not own.
            reason TEXT,
            -- One more than the previous seq; NULL if no counter changed.
            seq INTEGER,
            epoch INTEGER NOT NULL,
            -- The units that an order requested, that a cancellation returned to the counters, or that an adjustment
            -- added to the sold quantity.
            units INTEGER,
            decided_at TEXT NOT NULL,
            entry_id TEXT,
            -- The number of an order among the orders, or of a dead letter among the dead letters.
            number INTEGER,
            -- The requester, if known.
            "by" TEXT,
            -- The kind, as stored in the index of keys. Nearly all rows are orders, and their 1 takes no space there.
            -- With random ids, each batch changes most pages of that index, so each page saved is one page less to
            -- write per batch.
            short_kind ANY NOT NULL AS (CASE kind WHEN 'order' THEN 1 ELSE kind END),
            CHECK (kind != 'order' OR (seq IS NULL) = (reason IS NOT NULL)),
            UNIQUE (key, short_kind)
        ) STRICT;
        -- A seq is found from the last of these rows before it: an index of all seqs would slow down every order.
        CREATE INDEX journal_marks ON journal (seq) WHERE \(isMark);

        CREATE TABLE order_details (
            -- Numbers the orders in the order of recording.
            number INTEGER PRIMARY KEY,
            position INTEGER NOT NULL REFERENCES journal (position),
            -- Whether the order was accepted, and later cancelled completely.
            is_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelled IN (0, 1)),
            -- For a refusal: the counter that had too few units, the units requested of it and the units left.
            refused_level TEXT,
            refused_id TEXT,
            refused_asked INTEGER,
            refused_left INTEGER,
            stripe_payment_intent_id TEXT,
            completed_at TEXT,
            currency TEXT,
            subtotal INTEGER,
            tax INTEGER,
            shipping INTEGER,
            total INTEGER,
            -- When the customer's data was removed ('orders erase').
            erased_at TEXT,
            -- Digest of the payment intent that was removed with the data, so that the same payment is not taken for a
            -- second one.
            payment_digest BLOB
        ) STRICT;
        -- Accepting an order does not write to these indexes.
        CREATE INDEX order_details_refused ON order_details (number) WHERE \(isRefused);
        CREATE INDEX order_details_cancelled ON order_details (number) WHERE is_cancelled = 1;

        -- The customers of orders. A separate table, so that 'orders erase' deletes rows; an order without customer
        -- data has no row.
        CREATE TABLE order_customers (
            order_number INTEGER PRIMARY KEY REFERENCES order_details (number),
            customer_id TEXT,
            customer_email TEXT,
            customer_name TEXT,
            shipping_name TEXT,
            shipping_line1 TEXT,
            shipping_line2 TEXT,
            shipping_city TEXT,
            shipping_state TEXT,
            shipping_postal_code TEXT,
            shipping_country TEXT
        ) STRICT;

        CREATE TABLE order_lines (
            order_number INTEGER NOT NULL REFERENCES order_details (number),
            line INTEGER NOT NULL,
            product_id TEXT NOT NULL REFERENCES catalogue_products (id),
            variant_id TEXT REFERENCES catalogue_variants (id),
            quantity INTEGER NOT NULL CHECK (quantity > 0),
            unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
            stripe_product_id TEXT,
            product_name TEXT,
            variant_name TEXT,
            PRIMARY KEY (order_number, line)
        ) STRICT, WITHOUT ROWID;

        \(commandDetails)

        \(views)

        -- The changes by each version of the catalogue: a row with column NULL for each SKU that was added, closed or
        -- reopened, and a row for each column that differs.
        CREATE TABLE catalogue_changes (
            id INTEGER PRIMARY KEY,
            position INTEGER NOT NULL REFERENCES journal (position),
            kind TEXT NOT NULL CHECK (kind IN ('added', 'changed', 'closed', 'reopened')),
            level TEXT NOT NULL CHECK (level IN ('product', 'variant')),
            counter_id TEXT NOT NULL,
            "column" TEXT,
            -- Numbers are stored as text.
            before TEXT,
            after TEXT
        ) STRICT;
        CREATE INDEX catalogue_changes_counter_id ON catalogue_changes (counter_id);

        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY,
            position INTEGER NOT NULL REFERENCES journal (position),
            -- Whether the message is a checkout, so that a customer may have paid.
            is_checkout INTEGER NOT NULL CHECK (is_checkout IN (0, 1)),
            entry_id TEXT NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            -- The raw bytes of a message's two fields, or their first bytes if they are larger than any valid message;
            -- NULL if the entry lacks the field.
            type BLOB,
            payload BLOB,
            -- The whole entry (names and values, as a RESP array) if it is not just one type and one payload, or its
            -- first bytes if it is too large.
            fields BLOB,
            -- The size of the names and values of the entry as read; whether all of it was stored; SHA-256 of the whole
            -- payload if only its first bytes were.
            bytes INTEGER NOT NULL CHECK (bytes >= 0),
            is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
            payload_digest BLOB,
            -- The ids that could be read from it.
            \(Command.Kind.allCases.map { "\($0.idField) TEXT," }.joined(separator: " "))
            fingerprint BLOB NOT NULL,
            received_at TEXT NOT NULL,
            -- open; replay: the consumer must publish it again; replayed: it was read again and recorded, whatever the
            -- outcome; discarded: its bytes were removed.
            status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replay', 'replayed', 'discarded')),
            -- When it was replayed or discarded.
            resolved_at TEXT,
            -- Reading an entry again is idempotent; another entry may get the id of one that Redis has lost.
            UNIQUE (entry_id, fingerprint)
        ) STRICT;

        CREATE TRIGGER dead_letter_bytes_inserted AFTER INSERT ON dead_letters BEGIN
            UPDATE ledger SET dead_letter_bytes = dead_letter_bytes + \(deadLetterBytes("NEW"));
        END;
        CREATE TRIGGER dead_letter_bytes_updated AFTER UPDATE OF type, payload, fields ON dead_letters BEGIN
            UPDATE ledger
            SET dead_letter_bytes = dead_letter_bytes + \(deadLetterBytes("NEW")) - \(deadLetterBytes("OLD"));
        END;

        -- Dead letters that need attention are few among many, and their status is stored after long bytes.
        CREATE INDEX dead_letters_open ON dead_letters (id) WHERE status = 'open';
        CREATE INDEX dead_letters_replay ON dead_letters (id) WHERE status = 'replay';
        -- For the details of an order, and for its erasure.
        CREATE INDEX dead_letters_order_id ON dead_letters (order_id) WHERE order_id IS NOT NULL;
        -- Cancellations that wait for their order.
        CREATE INDEX dead_letters_unknown_order ON dead_letters (order_id)
            WHERE reason = 'unknown_order' AND status = 'open';

        \(refunds)

        -- The installations of the counters.
        CREATE TABLE epochs (
            epoch INTEGER PRIMARY KEY NOT NULL,
            reason TEXT NOT NULL,
            catalogue_version INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            -- The position of the journal's last row when the epoch was opened.
            position INTEGER NOT NULL,
            opened_at TEXT NOT NULL
        ) STRICT;

        -- Differences that were found and corrected. The numbers of a counter are NULL if there was none.
        CREATE TABLE repairs (
            id INTEGER PRIMARY KEY,
            -- The epoch that requested the repair; the next installed epoch contains it.
            epoch INTEGER NOT NULL,
            -- counters: in Redis, set to the ledger's quantities. ledger: a quantity in the ledger, set to the sum of
            -- the recorded changes.
            place TEXT NOT NULL CHECK (place IN ('counters', 'ledger')),
            -- NULL, together with the field's name, for a field of the counters that belongs to no product or variant.
            level TEXT CHECK (level IN ('product', 'variant')),
            counter_id TEXT NOT NULL,
            found INTEGER,
            expected INTEGER,
            detail TEXT NOT NULL,
            reason TEXT NOT NULL,
            repaired_at TEXT NOT NULL
        ) STRICT;

        -- Actions of operators that decide nothing.
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            -- erase_order, replay_dead_letter, discard_dead_letter, show_order, show_dead_letter, repair, adopt, restore.
            action TEXT NOT NULL,
            -- The order's id, the dead letter's number, or an epoch.
            subject TEXT NOT NULL,
            "by" TEXT,
            done_at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX audit_subject ON audit (subject);

        -- How often a process ended while it decoded this entry alone.
        CREATE TABLE attempts (
            entry_id TEXT NOT NULL,
            fingerprint BLOB NOT NULL,
            attempts INTEGER NOT NULL,
            PRIMARY KEY (entry_id, fingerprint)
        ) STRICT, WITHOUT ROWID;
        """

    /// Returns an SQL expression for the size in bytes of a dead letter's content.
    /// - Parameter row: the row's name in the query.
    static func deadLetterBytes(_ row: String) -> String {
        "(\(["type", "payload", "fields"].map { "coalesce(length(\(row).\($0)), 0)" }.joined(separator: " + ")))"
    }

    /// The counters of a level. Rows are narrow, so that the many rows that a batch changes are on few pages. A row is
    /// inserted before that of its product or variant. A view joins both, for readers.
    private static func counters(of level: CapLevel) -> String {
        """
        CREATE TABLE \(level.counterTable) (
            id TEXT PRIMARY KEY NOT NULL REFERENCES \(level.catalogueTable) (id) DEFERRABLE INITIALLY DEFERRED,
            max_quantity INTEGER CHECK (max_quantity > 0),
            sold_quantity INTEGER NOT NULL DEFAULT 0 CHECK (sold_quantity >= 0),
            -- The part of sold_quantity that no order owns: adjustments, and units cancelled without restock.
            adjusted_quantity INTEGER NOT NULL DEFAULT 0 CHECK (adjusted_quantity >= 0),
            -- NULL without a cap, which means unlimited.
            available_quantity INTEGER GENERATED ALWAYS AS
                (CASE WHEN max_quantity IS NULL THEN NULL ELSE max(max_quantity - sold_quantity, 0) END) VIRTUAL,
            is_available INTEGER NOT NULL GENERATED ALWAYS AS
                (CASE WHEN max_quantity IS NULL OR sold_quantity < max_quantity THEN 1 ELSE 0 END) VIRTUAL
        ) STRICT, WITHOUT ROWID;
        -- SKUs that are sold out. Nothing is written to this index until one is.
        CREATE INDEX \(level.counterTable)_is_available ON \(level.counterTable) (is_available) WHERE is_available = 0;
        CREATE VIEW \(level.view) AS SELECT * FROM \(level.catalogueTable) JOIN \(level.counterTable) USING (id);
        """
    }
}
