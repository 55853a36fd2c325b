import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    /// A query for all recorded changes of counters: seq, SKU, units added, and the command's kind and id.
    static let changes = changes(where: "TRUE")

    /// The same query for some rows of the journal.
    /// - Parameter condition: selects the rows. It is repeated in each part of the UNION, because SQLite does not push
    ///   down a condition with a subquery, and would scan the whole journal.
    private static func changes(where condition: String) -> String {
        """
        SELECT seq, product_id, variant_id, quantity AS units, kind, key AS id FROM journal
        JOIN order_lines ON order_number = number WHERE \(condition) AND kind = 'order' AND seq IS NOT NULL
        UNION ALL
        SELECT seq, product_id, variant_id, -given_back, kind, key FROM journal
        JOIN cancellation_lines USING (position)
        WHERE \(condition) AND kind = 'cancellation' AND seq IS NOT NULL
        UNION ALL
        SELECT seq, product_id, variant_id, units, kind, key FROM journal
        JOIN adjustment_details USING (position) WHERE \(condition) AND kind = 'adjustment'
        """
    }

    /// A query for the changes of counters after seq `?1`, with ids from `?2` to `?3` (products) or `?4` to `?5`
    /// (variants).
    static let changesAfter = """
        SELECT seq, product_id, variant_id, units
        FROM (\(changes(where: "journal.position > \(Schema.position(before: "?1")) AND seq > ?1")))
        WHERE product_id BETWEEN ?2 AND ?3 OR variant_id BETWEEN ?4 AND ?5
        """

    /// A query for the changes of the counter with id `?3`, above seq `?1` and up to seq `?2`.
    static func changesOf(_ level: CapLevel) -> String {
        let condition = """
            journal.position > \(Schema.position(before: "?1")) AND journal.position <= \(Schema.position(reaching: "?2"))
            AND seq > ?1 AND seq <= ?2
            """
        return """
            SELECT seq, kind, id, sum(units) FROM (\(changes(where: condition)))
            WHERE \(level == .product ? "product_id" : "variant_id") = ?3 GROUP BY seq ORDER BY seq DESC
            """
    }

    package func counterNames(after last: CounterName?, limit: Int) async throws -> CounterNames {
        try await read { db in
            var names: [CounterName] = []
            for level in CapLevel.allCases where !(last?.level == .variant && level == .product) {
                let ids = try String.fetchCursor(
                    db.cachedStatement(sql: "SELECT id FROM \(level.counterTable) WHERE id > ? ORDER BY id LIMIT ?"),
                    arguments: [last?.level == level ? last?.id.text ?? "" : "", limit - names.count])
                while let id = try ids.next() { names.append(CounterName(level, Identifier(id))) }
            }
            return CounterNames(head: try LedgerHead.read(db), names: names)
        }
    }

    package func counters(_ names: [CounterName], withChangesAfter seq: Int64) async throws -> CountersAsOf {
        let ranges = CapLevel.allCases.map { level in
            (
                level: level, first: names.first { $0.level == level }?.id.text,
                last: names.last { $0.level == level }?.id.text
            )
        }
        return try await read { db in
            var counters: [CounterName: CounterState] = [:]
            counters.reserveCapacity(names.count)
            for (level, first, last) in ranges {
                let rows = try Row.fetchCursor(
                    db.cachedStatement(
                        sql: """
                            SELECT id, sold_quantity, max_quantity, is_active FROM \(level.view)
                            WHERE id BETWEEN ? AND ?
                            """), arguments: [first, last])
                while let row = try rows.next() {
                    try counters[CounterName(level, Identifier(row.value(0)))] = CounterState(
                        sold: row.value(1), cap: row.value(2), isActive: row.value(3))
                }
            }
            var later: [CounterName: [(seq: Int64, units: Int64)]] = [:]
            let head = try LedgerHead.read(db)
            // The common case: nothing was recorded later.
            guard seq < head.seq else { return CountersAsOf(head: head, counters: counters, later: later) }
            let changes = try Row.fetchCursor(
                db.cachedStatement(sql: Self.changesAfter),
                arguments: [seq] + StatementArguments(ranges.flatMap { [$0.first, $0.last] }))
            while let row = try changes.next() {
                let (seq, units): (Int64, Int64) = (try row.value(0), try row.value(3))
                let product = CounterName.product(Identifier(try row.value(1)))
                if counters[product] != nil { later[product, default: []].append((seq, units)) }
                if let variant = try (row.value(2) as String?).map({ CounterName.variant(Identifier($0)) }),
                    counters[variant] != nil
                {
                    later[variant, default: []].append((seq, units))
                }
            }
            return CountersAsOf(head: head, counters: counters, later: later)
        }
    }

    package func known(_ names: [CounterName]) async throws -> Set<CounterName> {
        try await read { db in
            try Set(
                names.filter { name in
                    try Bool.fetchOne(
                        db.cachedStatement(
                            sql: "SELECT EXISTS (SELECT 1 FROM \(name.level.counterTable) WHERE id = ?)"),
                        arguments: [name.id.text]) ?? false
                })
        }
    }
}
