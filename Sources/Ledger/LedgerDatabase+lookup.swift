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
    package var owned: [Identifier: [ArticleUnits]] = [:]
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
            for key in keys {
                if let message = try Self.message(key, db) { known.messages[key] = message }
            }
            let deadLetter = try db.cachedStatement(
                sql: "SELECT fingerprint, reason, order_id, received_at FROM dead_letters WHERE entry_id = ?")
            for entry in entries {
                for row in try Row.fetchAll(deadLetter, arguments: [entry]) {
                    known.deadLetters[EntryKey(entryID: entry, fingerprint: row.bytes(0))] = Outcome(
                        kind: .deadLetter, orderID: row[2] ?? "", reason: row[1], decidedAt: row[3])
                }
            }
            for order in cancelled {
                if let owned = try Self.owned(by: order, db) { known.owned[order] = owned }
            }
            for counter in adjusted {
                let row = try Row.fetchOne(
                    db, sql: "SELECT sold_quantity, adjusted_quantity FROM \(counter.level.table) WHERE id = ?",
                    arguments: [counter.id.text])
                if let row { known.adjusted[counter] = (row[0], row[1]) }
            }
            return known
        }
    }

    private static func message(_ key: MessageKey, _ db: Database) throws -> KnownMessage? {
        let id = key.id.text
        switch key {
        case .order:
            let statement = try db.cachedStatement(
                sql: "SELECT digest, status, reason, seq, units, decided_at FROM orders WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [id]).map { row in
                let seq: Int64? = row[3]
                return KnownMessage(
                    digest: row.bytes(0),
                    // An order that took units was accepted, whatever was cancelled later.
                    outcome: Outcome(
                        kind: seq == nil ? .refused : .accepted, orderID: id, reason: row[2] ?? "", seq: seq,
                        units: row[4], decidedAt: row[5]))
            }
        case .cancellation:
            let statement = try db.cachedStatement(
                sql: "SELECT digest, order_id, seq, units, decided_at FROM cancellations WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [id]).map { row in
                KnownMessage(
                    digest: row.bytes(0),
                    outcome: Outcome(
                        kind: .cancelled, orderID: row[1], cancellationID: id, seq: row[2], units: row[3],
                        decidedAt: row[4]))
            }
        case .adjustment:
            let statement = try db.cachedStatement(
                sql: "SELECT digest, seq, quantity, decided_at FROM adjustments WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [id]).map { row in
                KnownMessage(
                    digest: row.bytes(0),
                    outcome: Outcome(
                        kind: .adjusted, adjustmentID: id, seq: row[1], units: row[2], decidedAt: row[3]))
            }
        }
    }

    /// What an order still owns, in the order of its lines, each article once; nil if there is no such order.
    static func owned(by order: Identifier, _ db: Database) throws -> [ArticleUnits]? {
        let id = order.text
        let statement = try db.cachedStatement(sql: "SELECT seq IS NULL FROM orders WHERE id = ?")
        guard let isRefused = try Bool.fetchOne(statement, arguments: [id]) else { return nil }
        if isRefused { return [] }
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT product_id, variant_id, sum(units) FROM (
                        SELECT product_id, variant_id, quantity AS units, line AS place FROM order_items
                        WHERE order_id = ?1
                        UNION ALL
                        SELECT product_id, variant_id, -released, NULL FROM cancellation_items
                        JOIN cancellations ON cancellations.id = cancellation_id
                        WHERE order_id = ?1 AND released > 0
                    ) GROUP BY product_id, variant_id ORDER BY min(place)
                    """), arguments: [id])
        return rows.map { row in
            ArticleUnits(
                Article(Identifier(row[0]), (row[1] as String?).map { Identifier($0) }), row[2])
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
