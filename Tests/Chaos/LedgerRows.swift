import Foundation
import GRDB
import TestSupport

/// The ledger's tables as any reader sees them: opened read-only, one snapshot at a time.
struct LedgerRows: Sendable {
    let path: String

    struct Order: Sendable {
        var position: Int64
        var id: String
        var status: String
        var shortage: Shortage?
        var seq: Int64?
        var epoch: Int64
        var decidedAt: String
        var entryID: String
        /// Whether the customer's data is recorded as erased.
        var isErased: Bool
        var namesCustomer: Bool
        var lines: [Message.Line]
    }

    struct Shortage: Sendable, Equatable {
        var reason: String
        var level: String
        var id: String
        var asked: Int
        var left: Int
    }

    struct DeadLetter: Sendable {
        var position: Int64
        var reason: String
        var orderID: String?
        var cancellationID: String?
        var adjustmentID: String?
        var refundID: String?
        var receivedAt: String
        var entryID: String
        /// The message's identity, `Message.key`; `nil` if it was removed.
        var bytes: [UInt8]?
        var fingerprint: Data
        var status: String
    }

    struct Head: Sendable {
        var epoch: Int64
        var seq: Int64
        /// Rows ever recorded.
        var position: Int64
        var catalogueVersion: Int64
    }

    struct Stock: Sendable {
        var sold: Int
        var cap: Int?
        var adjusted: Int
    }

    func read<T>(_ body: (Database) throws -> T) throws -> T {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read(body)
    }

    /// The same, as soon as the ledger can be read.
    func readSoon<T>(_ body: (Database) throws -> T) async throws -> T {
        var result: T?
        try await eventually(within: .seconds(30), "the ledger to be readable") {
            result = try? read(body)
            return result != nil
        }
        guard let result else { throw TestSupportError("the ledger cannot be read") }
        return result
    }

    static func head(_ db: Database) throws -> Head {
        guard let row = try Row.fetchOne(db, sql: "SELECT epoch, seq, position, catalogue_version FROM ledger") else {
            throw DatabaseError(message: "the ledger has no head")
        }
        return Head(epoch: row[0], seq: row[1], position: row[2], catalogueVersion: row[3])
    }

    /// The numbering of the journal's rows.
    struct Journal: Sendable {
        var rows: Int64
        var highest: Int64
        /// Rows whose seq is not greater than all earlier ones.
        var disorder: Int64
        /// Epoch and position of each row, by kind and key.
        var places: [String: Place]
    }

    struct Place: Hashable, Comparable, Sendable {
        var epoch: Int64
        var position: Int64

        static func < (a: Place, b: Place) -> Bool { (a.epoch, a.position) < (b.epoch, b.position) }
    }

    static func journal(_ db: Database) throws -> Journal {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*), coalesce(max(position), 0), (
                    SELECT count(*) FROM (
                        SELECT seq, max(seq) OVER (
                            ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                        ) AS before
                        FROM journal WHERE seq IS NOT NULL
                    ) WHERE before >= seq
                ) FROM journal
                """)
        var places: [String: Place] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT kind || ' ' || key, epoch, position FROM journal") {
            places[row[0]] = Place(epoch: row[1], position: row[2])
        }
        return Journal(rows: row?[0] ?? 0, highest: row?[1] ?? 0, disorder: row?[2] ?? 0, places: places)
    }

    /// The number of commands ever recorded.
    static func commands(_ db: Database) throws -> Int {
        let counts = ["orders", "cancellations", "adjustments", "order_refunds"].map { "(SELECT count(*) FROM \($0))" }
        return try Int.fetchOne(db, sql: "SELECT \(counts.joined(separator: " + "))") ?? 0
    }

    /// Orders recorded after the given position.
    static func orders(after position: Int64 = 0, _ db: Database) throws -> [Order] {
        var lines: [String: [Message.Line]] = [:]
        let items = try Row.fetchCursor(
            db,
            sql: """
                SELECT i.order_id, i.product_id, i.variant_id, i.quantity, i.unit_price
                FROM order_items AS i JOIN orders AS o ON o.id = i.order_id WHERE o.number > ? ORDER BY o.number, i.line
                """,
            arguments: [position])
        while let row = try items.next() {
            lines[row[0], default: []].append(
                Message.Line(product: row[1], variant: row[2], units: row[3], price: row[4]))
        }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT number, id, status, reason, refused_level, refused_id, refused_asked, refused_left, seq, epoch,
                    decided_at, entry_id, erased_at IS NOT NULL AS is_erased,
                    coalesce(customer_id, customer_email, customer_name, shipping_name, shipping_line1) IS NOT NULL
                        AS names_customer
                FROM orders WHERE number > ? ORDER BY number
                """,
            arguments: [position]
        ).map { row in
            let reason: String? = row["reason"]
            return Order(
                position: row["number"], id: row["id"], status: row["status"],
                shortage: reason.map { reason in
                    Shortage(
                        reason: reason, level: row["refused_level"] ?? "", id: row["refused_id"] ?? "",
                        asked: row["refused_asked"] ?? -1, left: row["refused_left"] ?? -1)
                },
                seq: row["seq"], epoch: row["epoch"], decidedAt: row["decided_at"], entryID: row["entry_id"],
                isErased: row["is_erased"], namesCustomer: row["names_customer"],
                lines: lines[row["id"]] ?? [])
        }
    }

    static func deadLetters(after position: Int64 = 0, _ db: Database) throws -> [DeadLetter] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, reason, entry_id, type, payload, fields, status, order_id, received_at, bytes, is_whole,
                    fingerprint, cancellation_id, adjustment_id, refund_id
                FROM dead_letters WHERE id > ? ORDER BY id
                """,
            arguments: [position]
        ).map { row in
            let (type, payload, fields): (Data?, Data?, Data?) = (row[3], row[4], row[5])
            let plain = ["type", "payload"].map { Array($0.utf8) }
            let plainFields = [plain[0], Array(type ?? Data()), plain[1], Array(payload ?? Data())]
            let isWhole: Bool = row[10]
            let bytes =
                !isWhole
                ? Message.key(ofLarge: plainFields, size: row[9])
                : fields.map { Array($0) } ?? Message.encoded(plainFields)
            let isRemoved = type == nil && payload == nil && fields == nil
            return DeadLetter(
                position: row[0], reason: row[1], orderID: row[7], cancellationID: row[12], adjustmentID: row[13],
                refundID: row[14],
                receivedAt: row[8], entryID: row[2],
                bytes: isRemoved ? nil : bytes, fingerprint: row[11], status: row[6])
        }
    }

    /// Sold, cap and adjusted of every product and variant.
    static func figures(_ db: Database) throws -> [String: Stock] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, sold_quantity, max_quantity, adjusted_quantity FROM products
                UNION ALL SELECT id, sold_quantity, max_quantity, adjusted_quantity FROM variants
                """)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], Stock(sold: $0[1], cap: $0[2], adjusted: $0[3])) })
    }

    struct Repair: Sendable {
        var place: String
        var counter: String
        var repairedAt: String
    }

    static func repairs(_ db: Database) throws -> [Repair] {
        try Row.fetchAll(db, sql: "SELECT place, counter_id, repaired_at FROM repairs ORDER BY id").map { row in
            Repair(place: row[0], counter: row[1], repairedAt: row[2])
        }
    }

    struct Epoch: Sendable {
        var number: Int64
        var catalogueVersion: Int64
        /// The seq of the last change before it.
        var seq: Int64
        var openedAt: Date
    }

    static func epochs(_ db: Database) throws -> [Epoch] {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try Row.fetchAll(db, sql: "SELECT epoch, catalogue_version, seq, opened_at FROM epochs").map { row in
            Epoch(number: row[0], catalogueVersion: row[1], seq: row[2], openedAt: try format.parse(row[3]))
        }
    }
}
