import GRDB
import Domain
import Ledger

/// Orders have no index by SKU, because it would slow down recording every order. Therefore the orders between two
/// events are read and summed, or listed from the latest one on until a page is full.
extension LedgerDatabase {
    package func stockHistory(
        of counter: CounterName, listingOrders: Bool, limit: Int, after: String?
    ) async throws -> Page<StockEvent> {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let end = request.cursor ?? .max
            var events = try Self.events(of: counter, before: end, limit: request.rows, db)
            if listingOrders {
                events += try Self.orders(of: counter, before: end, limit: request.rows, db)
                events.sort { $0.position > $1.position }
            }
            // All events at one position are on the same page.
            let isWhole = events.count <= limit
            let start = isWhole ? 0 : events[limit - 1].position
            events =
                try listingOrders
                ? events.filter { $0.position >= start }
                : Self.events(of: counter, before: end, since: start, db)
            let shown =
                listingOrders
                ? events : try Self.withOrders(between: events, of: counter, from: start, to: end, db)
            return Page(elements: shown, next: isWhole ? nil : String(start))
        }
    }

    // MARK: - Events

    /// Returns all events except orders, latest first.
    private static func events(
        of counter: CounterName, before end: Int64, since start: Int64 = 0, limit: Int? = nil, _ db: Database
    ) throws -> [StockEvent] {
        let column = "\(counter.level.rawValue)_id"
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM (
                    SELECT 'adjustment' AS kind, position, key AS id, units, decided_at AS at, "by",
                        details.reason AS detail, NULL AS before, NULL AS after
                    FROM adjustment_details AS details JOIN journal USING (position) WHERE \(column) = ?1
                    UNION ALL
                    SELECT 'cancellation', position, key, -sum(given_back), decided_at, "by",
                        \(Schema.orderID(ofJournal: .cancel) ?? "NULL"), NULL, NULL
                    FROM cancellation_lines JOIN journal USING (position) WHERE \(column) = ?1 GROUP BY position
                    UNION ALL
                    SELECT 'catalogue', position, key, NULL, decided_at, "by", coalesce("column", changes.kind), before,
                        after
                    FROM catalogue_changes AS changes JOIN journal USING (position)
                    WHERE counter_id = ?1 AND level = ?2
                    UNION ALL
                    SELECT 'repair', epochs.position, CAST(repairs.epoch AS TEXT), NULL, repaired_at, NULL, place,
                        CAST(found AS TEXT), CAST(expected AS TEXT)
                    FROM repairs JOIN epochs USING (epoch) WHERE counter_id = ?1 AND level = ?2
                ) WHERE position < ?3 AND position >= ?4 ORDER BY position DESC, kind = 'repair' DESC, at DESC \(limit.map { "LIMIT \($0)" } ?? "")
                """, arguments: [counter.id.text, counter.level.rawValue, end, start])
        return try rows.map { row in
            guard let kind = StockEvent.Kind(rawValue: try row.value("kind")) else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an event of an unknown kind")
            }
            return try StockEvent(
                kind: kind, position: row.value("position"), id: row.value("id"), units: row.value("units"),
                at: row.value("at"), by: row.value("by"), detail: row.value("detail"), before: row.value("before"),
                after: row.value("after"))
        }
    }

    // MARK: - Orders

    /// Returns accepted orders with their units of the SKU, latest first.
    private static func orders(
        of counter: CounterName, before end: Int64, limit: Int, _ db: Database
    ) throws -> [StockEvent] {
        let last = try lastOrder(before: end, db)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT journal.position, key, sum(quantity) AS units, decided_at, "by"
                FROM order_lines JOIN order_details ON order_details.number = order_number
                JOIN journal ON journal.position = order_details.position
                WHERE order_number <= ?2 AND \(counter.level.rawValue)_id = ?1 AND refused_level IS NULL
                GROUP BY order_number ORDER BY order_number DESC LIMIT ?3
                """, arguments: [counter.id.text, last, limit]
        ).map { row in
            try StockEvent(
                kind: .order, position: row.value(0), id: row.value(1), units: row.value(2), at: row.value(3),
                by: row.value(4))
        }
    }

    /// Returns the events, with the orders between each two of them as one sum.
    private static func withOrders(
        between events: [StockEvent], of counter: CounterName, from start: Int64, to end: Int64, _ db: Database
    ) throws -> [StockEvent] {
        var all: [StockEvent] = []
        var last = try lastOrder(before: end, db)
        for event in events {
            // A repair follows the row at its position.
            let before = try lastOrder(before: event.kind == .repair ? event.position + 1 : event.position, db)
            if let sum = try sum(of: counter, after: before, through: last, db) { all.append(sum) }
            all.append(event)
            last = before
        }
        let rest = try lastOrder(before: start, db)
        if let sum = try sum(of: counter, after: rest, through: last, db) { all.append(sum) }
        return all
    }

    /// Returns the number of the last order before a position, or 0 if there is none.
    private static func lastOrder(before position: Int64, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT number FROM journal WHERE position < ? AND kind = 'order' ORDER BY position DESC LIMIT 1"),
            arguments: [position]) ?? 0
    }

    /// Returns the sum of the orders in a range of numbers, or `nil` if none of them contains the SKU.
    private static func sum(
        of counter: CounterName, after first: Int64, through last: Int64, _ db: Database
    ) throws -> StockEvent? {
        if first >= last { return nil }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT count(DISTINCT order_number), sum(quantity), max(order_number)
                    FROM order_lines JOIN order_details ON number = order_number
                    WHERE order_number > ?2 AND order_number <= ?3 AND \(counter.level.rawValue)_id = ?1
                        AND refused_level IS NULL
                    """), arguments: [counter.id.text, first, last])
        guard let row, let units: Int64 = try row.value(1), let number: Int64 = try row.value(2) else { return nil }
        let latest = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT journal.position, decided_at FROM order_details
                    JOIN journal ON journal.position = order_details.position WHERE order_details.number = ?
                    """), arguments: [number])
        guard let latest else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "lines of a missing order")
        }
        return try StockEvent(
            kind: .orders, position: latest.value(0), orders: row.value(0), units: units, at: latest.value(1))
    }
}
