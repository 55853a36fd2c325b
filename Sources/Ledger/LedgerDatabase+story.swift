import GRDB
import Inventory

/// A cancellation as the ledger holds it.
package struct RecordedCancellation: Sendable {
    /// How many units of one SKU were asked for, taken from the order, and given back to the counters.
    package struct Item: Sendable, Equatable {
        package var sku: SKU
        /// nil: all there were.
        package var asked: Int64?
        package var released: Int64
        package var givenBack: Int64
    }

    package var id: Identifier
    package var cancelledAt: String?
    package var restock: Bool
    /// nil where no counter changed.
    package var seq: Int64?
    /// Units given back.
    package var units: Int64
    /// Units asked for that the order did not own.
    package var notOwned: Int64
    package var decidedAt: String
    package var entryID: String
    package var items: [Item]
}

/// All that the ledger knows about one order.
package struct OrderStory: Sendable {
    /// nil: only dead letters have its id.
    package var order: RecordedOrder?
    /// In the order in which they were recorded.
    package var cancellations: [RecordedCancellation]
    /// What it still owns, each SKU once; without SKUs of which nothing is left.
    package var owned: [SKUUnits]
    /// Without their bytes, oldest first.
    package var deadLetters: [RecordedDeadLetter]
}

extension LedgerDatabase {
    /// All that the ledger knows about an order, read in one transaction.
    package func story(of id: Identifier) async throws -> OrderStory {
        try await read { db in
            let cancellations = try Row.fetchAll(
                db, sql: "SELECT * FROM cancellations WHERE order_id = ? ORDER BY rowid", arguments: [id.text])
            let letters = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Self.deadLetterColumns)
                    FROM dead_letters WHERE order_id = ? ORDER BY id
                    """, arguments: [id.text])
            return OrderStory(
                order: try Self.order(id, db),
                cancellations: try cancellations.map { try Self.cancellation($0, db) },
                owned: try Self.owned(by: id, db)?.filter { $0.units > 0 } ?? [],
                deadLetters: try letters.map(Self.deadLetter))
        }
    }

    private static func cancellation(_ row: Row, _ db: Database) throws -> RecordedCancellation {
        let items = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM cancellation_items WHERE cancellation_id = ? ORDER BY line"),
            arguments: [try row.value("id") as String])
        return try RecordedCancellation(
            id: Identifier(row.value("id")), cancelledAt: row.value("cancelled_at"), restock: row.value("restock"),
            seq: row.value("seq"),
            units: row.value("units"),
            notOwned: row.value("not_owned"), decidedAt: row.value("decided_at"), entryID: row.value("entry_id"),
            items: items.map { item in
                try RecordedCancellation.Item(
                    sku: SKU(
                        Identifier(item.value("product_id")),
                        (item.value("variant_id") as String?).map { Identifier($0) }),
                    asked: item.value("asked"), released: item.value("released"), givenBack: item.value("given_back"))
            })
    }
}
