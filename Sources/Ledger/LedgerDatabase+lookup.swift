import Foundation
import GRDB
import Inventory

/// An order as far as a replay needs it.
package struct KnownOrder: Sendable, Equatable {
    package var digest: [UInt8]
    /// What is announced (again) for it.
    package var outcome: Outcome

    package init(digest: [UInt8], outcome: Outcome) {
        self.digest = digest
        self.outcome = outcome
    }
}

/// What the ledger holds of a batch already.
package struct KnownEntries: Sendable {
    package var orders: [Identifier: KnownOrder] = [:]
    /// Dead letters that stand under the entry ids asked for, with what is announced (again) for them.
    package var deadLetters: [EntryKey: Outcome] = [:]
}

extension LedgerDatabase {
    /// Looks a batch up: its orders by id, its entries among the dead letters.
    package func known(orders: [Identifier], entries: [String]) async throws -> KnownEntries {
        try await read { db in
            var known = KnownEntries()
            let order = try db.cachedStatement(
                sql: "SELECT digest, status, reason, seq, units, decided_at FROM orders WHERE id = ?")
            for id in orders {
                guard let row = try Row.fetchOne(order, arguments: [id.text]) else { continue }
                let seq: Int64? = row[3]
                known.orders[id] = KnownOrder(
                    digest: row.bytes(0),
                    // An order that took units was accepted, whatever was cancelled later.
                    outcome: Outcome(
                        kind: seq == nil ? .refused : .accepted, orderID: id.text, reason: row[2] ?? "", seq: seq,
                        units: row[4], decidedAt: row[5]))
            }
            let deadLetter = try db.cachedStatement(
                sql: "SELECT fingerprint, reason, order_id, received_at FROM dead_letters WHERE entry_id = ?")
            for entry in entries {
                for row in try Row.fetchAll(deadLetter, arguments: [entry]) {
                    known.deadLetters[EntryKey(entryID: entry, fingerprint: row.bytes(0))] = Outcome(
                        kind: .deadLetter, orderID: row[2] ?? "", reason: row[1], decidedAt: row[3])
                }
            }
            return known
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
