import GRDB
import Inventory

/// The ledger's counters now, and what was recorded last: enough to tell what they were at an earlier seq.
package struct CountersAsOf: Sendable {
    package var head: LedgerHead
    /// Every counter as it is at `head.seq`.
    package var counters: [CounterName: CounterState]
    /// Units that changes later than the asked seq added, in the order of their seqs.
    private var later: [CounterName: [(seq: Int64, units: Int64)]]

    init(
        head: LedgerHead, counters: [CounterName: CounterState], later: [CounterName: [(seq: Int64, units: Int64)]]
    ) {
        self.head = head
        self.counters = counters
        self.later = later
    }

    /// Units recorded for a counter with seqs above `seq` (which must not be below the one asked for).
    package func units(of counter: CounterName, after seq: Int64) -> Int64 {
        (later[counter] ?? []).reduce(0) { $0 + ($1.seq > seq ? $1.units : 0) }
    }
}

extension LedgerDatabase {
    /// Every recorded change of a counter: its seq, what it is about, and the units it added.
    static let changes = """
        SELECT orders.seq, product_id, variant_id, quantity AS units, 'order' AS kind, orders.id AS id FROM orders
        JOIN order_lines ON order_number = orders.number WHERE orders.seq IS NOT NULL
        UNION ALL
        SELECT cancellations.seq, product_id, variant_id, -given_back, 'cancellation', cancellations.id FROM cancellations
        JOIN cancellation_items ON cancellation_id = cancellations.id WHERE cancellations.seq IS NOT NULL
        UNION ALL
        SELECT seq, product_id, variant_id, quantity, 'adjustment', id FROM adjustments
        """

    /// Every counter, and what was recorded after `seq`, in one transaction.
    package func counters(withChangesAfter seq: Int64) async throws -> CountersAsOf {
        try await read { db in
            let head = try LedgerHead.read(db)
            let (counters, _) = try Self.counters(db, version: head.catalogueVersion)
            var later: [CounterName: [(seq: Int64, units: Int64)]] = [:]
            let rows = try Row.fetchCursor(
                db, sql: "SELECT seq, product_id, variant_id, units FROM (\(Self.changes)) WHERE seq > ? ORDER BY seq",
                arguments: [seq])
            while let row = try rows.next() {
                let units: Int64 = row[3]
                later[.product(Identifier(row[1])), default: []].append((row[0], units))
                if let variant: String = row[2] {
                    later[.variant(Identifier(variant)), default: []].append((row[0], units))
                }
            }
            return CountersAsOf(
                head: head, counters: Dictionary(uniqueKeysWithValues: counters.map { ($0.name, $0.state) }),
                later: later)
        }
    }
}
