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

    /// Notes that an entry is about to be processed alone, before it is.
    /// - Returns: how often that has been noted before: so often it ended with the end of the process.
    package func noteAttempt(_ key: EntryKey) async throws -> Int {
        try await write { db in
            let fingerprint = Data(key.fingerprint)
            let before = try Int.fetchOne(
                db, sql: "SELECT attempts FROM attempts WHERE entry_id = ? AND fingerprint = ?",
                arguments: [key.entryID, fingerprint])
            try db.execute(
                sql: """
                    INSERT INTO attempts (entry_id, fingerprint, attempts) VALUES (?, ?, 1)
                    ON CONFLICT (entry_id, fingerprint) DO UPDATE SET attempts = attempts + 1
                    """,
                arguments: [key.entryID, fingerprint])
            return before ?? 0
        }
    }

    /// Takes one noted attempt back: the process ended, but not because of the entry.
    package func takeBackAttempt(_ key: EntryKey) async throws {
        try await write { db in
            try db.execute(
                sql:
                    "UPDATE attempts SET attempts = attempts - 1 WHERE entry_id = ? AND fingerprint = ? AND attempts > 0",
                arguments: [key.entryID, Data(key.fingerprint)])
        }
    }
}
