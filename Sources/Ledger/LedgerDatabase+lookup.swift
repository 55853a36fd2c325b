import Foundation
import GRDB
import Inventory

/// A message as far as a replay of it needs it.
package struct KnownMessage: Sendable, Equatable {
    package var digest: [UInt8]
    /// What is announced (again) for it.
    package var outcome: Outcome

    package init(digest: [UInt8], outcome: Outcome) {
        self.digest = digest
        self.outcome = outcome
    }
}

/// What the ledger holds of a batch already, and what the batch's changes depend on.
package struct KnownEntries: Sendable {
    package var messages: [MessageKey: KnownMessage] = [:]
    /// Dead letters that stand under the entry ids asked for, with what is announced (again) for them.
    package var deadLetters: [EntryKey: Outcome] = [:]
    /// What the orders that are to be cancelled still own; none for an order that is not there.
    package var owned: [Identifier: [SKUUnits]] = [:]
    /// Sold and adjusted units of the counters that are to be adjusted.
    package var adjusted: [CounterName: (sold: Int64, adjusted: Int64)] = [:]
}

extension LedgerDatabase {
    /// Looks a batch up: its messages by key, its entries among the dead letters, and what its changes depend on.
    /// - Parameters:
    ///   - cancelled: orders that are to be cancelled.
    ///   - adjusted: counters that are to be adjusted.
    package func known(
        _ keys: [MessageKey], entries: [String], cancelled: [Identifier] = [], adjusted: [CounterName] = []
    ) async throws -> KnownEntries {
        try await read { db in
            var known = KnownEntries()
            let texts = TextRoom()
            try Self.lookUp(keys, &known, db, texts)
            let deadLetters = RowsStatement(db, texts, columns: 1) {
                """
                SELECT entry_id, fingerprint, reason, order_id, received_at, cancellation_id, adjustment_id
                FROM (\($0)) CROSS JOIN dead_letters ON entry_id = column1
                """
            }
            try deadLetters.run(entries, bind: { $0.bind($1) }) { row in
                known.deadLetters[EntryKey(entryID: row.text(0), fingerprint: row.blob(1))] = Outcome(
                    kind: .deadLetter, orderID: row.text(3), cancellationID: row.text(5), adjustmentID: row.text(6),
                    reason: row.text(2), decidedAt: row.text(4))
            }
            for order in cancelled {
                if let owned = try Self.owned(by: order, db) { known.owned[order] = owned }
            }
            for counter in adjusted {
                known.adjusted[counter] = try Self.adjusted(counter, db)
            }
            return known
        }
    }

    /// What keeps an adjustment from being recorded, as far as the ledger shows it now; nil: nothing.
    package func objection(to adjustment: Adjustment) async throws -> InvalidMessage? {
        try await read { db in
            let catalog = try Self.counters(db, version: LedgerHead.read(db).catalogueVersion).1
            if let invalid = catalog.violation(in: adjustment) { return invalid }
            for counter in adjustment.sku.counters {
                guard let (sold, adjusted) = try Self.adjusted(counter, db) else { continue }
                if let invalid = adjustment.violation(of: counter, sold: sold, adjusted: adjusted) {
                    return invalid
                }
            }
            return nil
        }
    }

    private static func adjusted(_ counter: CounterName, _ db: Database) throws -> (sold: Int64, adjusted: Int64)? {
        try Row.fetchOne(
            db, sql: "SELECT sold_quantity, adjusted_quantity FROM \(counter.level.counterTable) WHERE id = ?",
            arguments: [counter.id.text]
        ).map { (try $0.value(0), try $0.value(1)) }
    }

    private static func lookUp(
        _ keys: [MessageKey], _ known: inout KnownEntries, _ db: Database, _ texts: TextRoom
    ) throws {
        var (orders, cancellations, adjustments): ([Identifier], [Identifier], [Identifier]) = ([], [], [])
        for key in keys {
            switch key {
            case .order(let id): orders.append(id)
            case .cancellation(let id): cancellations.append(id)
            case .adjustment(let id): adjustments.append(id)
            }
        }
        /// Columns of the row given to `outcome`: id, digest, seq, decided_at, and behind these `columns`.
        func lookUp(
            _ ids: [Identifier], in table: String, _ columns: String,
            _ outcome: (DirectRow, _ id: Identifier) -> (MessageKey, Outcome)
        ) throws {
            let statement = RowsStatement(db, texts, columns: 1) {
                "SELECT id, digest, seq, decided_at, \(columns) FROM (\($0)) CROSS JOIN \(table) ON id = column1"
            }
            try statement.run(ids, bind: { $0.bind($1) }) { row in
                let (key, outcome) = outcome(row, Identifier(row.text(0)))
                known.messages[key] = KnownMessage(digest: row.blob(1), outcome: outcome)
            }
        }
        try lookUp(orders, in: "orders", "units, reason") { row, id in
            // An order that took units was accepted, whatever was cancelled later.
            let seq = row.optionalInteger(2)
            let outcome = Outcome(
                kind: seq == nil ? .refused : .accepted, orderID: id.text, reason: row.text(5), seq: seq,
                units: row.integer(4), decidedAt: row.text(3))
            return (.order(id), outcome)
        }
        try lookUp(cancellations, in: "cancellations", "units, order_id, not_owned") { row, id in
            let outcome = Outcome(
                kind: .cancelled, orderID: row.text(5), cancellationID: id.text,
                reason: row.integer(6) > 0 ? Cancellation.notOwnedReason : "", seq: row.optionalInteger(2),
                units: row.integer(4), decidedAt: row.text(3))
            return (.cancellation(id), outcome)
        }
        try lookUp(adjustments, in: "adjustments", "quantity") { row, id in
            let outcome = Outcome(
                kind: .adjusted, adjustmentID: id.text, seq: row.optionalInteger(2), units: row.integer(4),
                decidedAt: row.text(3))
            return (.adjustment(id), outcome)
        }
    }

    /// What an order still owns, in the order of its lines, each SKU once; nil if there is no such order.
    static func owned(by order: Identifier, _ db: Database) throws -> [SKUUnits]? {
        let id = order.text
        let statement = try db.cachedStatement(sql: "SELECT seq IS NULL FROM orders WHERE id = ?")
        guard let isRefused = try Bool.fetchOne(statement, arguments: [id]) else { return nil }
        if isRefused { return [] }
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT product_id, variant_id, sum(units) FROM (
                        SELECT product_id, variant_id, quantity AS units, line AS place FROM order_lines
                        WHERE order_number = (SELECT number FROM orders WHERE id = ?1)
                        UNION ALL
                        SELECT product_id, variant_id, -released, NULL FROM cancellation_items
                        JOIN cancellations ON cancellations.id = cancellation_id
                        WHERE order_id = ?1 AND released > 0
                    ) GROUP BY product_id, variant_id ORDER BY min(place)
                    """), arguments: [id])
        return try rows.map { row in
            try SKUUnits(
                SKU(Identifier(row.value(0)), (row.value(1) as String?).map { Identifier($0) }), row.value(2))
        }
    }

    /// How often an entry has brought a process down that processed it alone.
    package func attempts(_ key: EntryKey) async throws -> Int {
        try await read { db in
            try Int.fetchOne(
                db, sql: "SELECT attempts FROM attempts WHERE entry_id = ? AND fingerprint = ?",
                arguments: [key.entryID, Data(key.fingerprint)]) ?? 0
        }
    }

    /// Notes that the last process ended while it decoded this entry alone.
    package func noteAttempt(_ key: EntryKey) async throws {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO attempts (entry_id, fingerprint, attempts) VALUES (?, ?, 1)
                    ON CONFLICT (entry_id, fingerprint) DO UPDATE SET attempts = attempts + 1
                    """,
                arguments: [key.entryID, Data(key.fingerprint)])
        }
    }
}
