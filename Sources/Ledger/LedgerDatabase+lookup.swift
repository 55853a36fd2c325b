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
            let texts = TextRoom()
            try Self.lookUp(keys, &known, db, texts)
            var deadLetter = try DirectStatement(
                "SELECT fingerprint, reason, order_id, received_at FROM dead_letters WHERE entry_id = ?", db, texts)
            for entry in entries {
                deadLetter.bind(entry)
                try deadLetter.forEachRow { row in
                    known.deadLetters[EntryKey(entryID: entry, fingerprint: row.blob(0))] = Outcome(
                        kind: .deadLetter, orderID: row.text(2), reason: row.text(1), decidedAt: row.text(3))
                }
            }
            for order in cancelled {
                if let owned = try Self.owned(by: order, db) { known.owned[order] = owned }
            }
            for counter in adjusted {
                let row = try Row.fetchOne(
                    db, sql: "SELECT sold_quantity, adjusted_quantity FROM \(counter.level.counterTable) WHERE id = ?",
                    arguments: [counter.id.text])
                if let row { known.adjusted[counter] = (row[0], row[1]) }
            }
            return known
        }
    }

    private static func lookUp(
        _ keys: [MessageKey], _ known: inout KnownEntries, _ db: Database, _ texts: TextRoom
    ) throws {
        var order = try DirectStatement(
            "SELECT digest, seq, units, decided_at, reason FROM orders WHERE id = ?", db, texts)
        var cancellation = try DirectStatement(
            "SELECT digest, seq, units, decided_at, order_id FROM cancellations WHERE id = ?", db, texts)
        var adjustment = try DirectStatement(
            "SELECT digest, seq, quantity, decided_at FROM adjustments WHERE id = ?", db, texts)
        for key in keys {
            let id = key.id.text
            switch key {
            case .order:
                order.bind(id)
                try order.forEachRow { row in
                    // An order that took units was accepted, whatever was cancelled later.
                    let isRefused = row.optionalInteger(1) == nil
                    known.messages[key] = KnownMessage(
                        digest: row.blob(0),
                        outcome: Outcome(
                            kind: isRefused ? .refused : .accepted, orderID: id, reason: row.text(4),
                            seq: row.optionalInteger(1), units: row.integer(2), decidedAt: row.text(3)))
                }
            case .cancellation:
                cancellation.bind(id)
                try cancellation.forEachRow { row in
                    known.messages[key] = KnownMessage(
                        digest: row.blob(0),
                        outcome: Outcome(
                            kind: .cancelled, orderID: row.text(4), cancellationID: id, seq: row.optionalInteger(1),
                            units: row.integer(2), decidedAt: row.text(3)))
                }
            case .adjustment:
                adjustment.bind(id)
                try adjustment.forEachRow { row in
                    known.messages[key] = KnownMessage(
                        digest: row.blob(0),
                        outcome: Outcome(
                            kind: .adjusted, adjustmentID: id, seq: row.optionalInteger(1), units: row.integer(2),
                            decidedAt: row.text(3)))
                }
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
                        SELECT product_id, variant_id, quantity AS units, line AS place FROM order_lines
                        WHERE order_number = (SELECT number FROM orders WHERE id = ?1)
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
