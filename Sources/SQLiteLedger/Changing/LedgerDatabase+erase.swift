import Foundation
import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func erase(_ ids: [Identifier], by: String?) async throws -> EraseResult {
        let (ids, now) = (ids.uniqued, Timestamp.now())
        return try await write { db in
            var letters: [(number: Int64, status: String)] = []
            var unknown: [Identifier] = []
            for id in ids {
                let found = try Row.fetchAll(
                    db.cachedStatement(sql: Self.lettersOfOrder), arguments: [id.text])
                letters += try found.map { (try $0.value(0), try $0.value(1)) }
                if try found.isEmpty && !Self.exists(id, db) { unknown.append(id) }
            }
            if !unknown.isEmpty { return .unknown(unknown) }
            let waiting = letters.filter { $0.status == DeadLetterStatus.replay.rawValue }.map(\.number)
            if !waiting.isEmpty { return .awaitsReplay(waiting.sorted()) }
            var orders = 0
            for id in ids {
                let found = try Row.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT number, stripe_payment_intent_id FROM order_details
                            WHERE number = \(Schema.orderNumber(ofID: "?"))
                            """), arguments: [id.text])
                guard let found else { continue }
                let (number, intent): (Int64, String?) = (try found.value(0), try found.value(1))
                let digest = Payment.digest(order: id, intentID: intent)
                try db.cachedStatement(sql: "DELETE FROM order_customers WHERE order_number = ?")
                    .execute(arguments: [number])
                try db.cachedStatement(sql: Self.eraseOrder).execute(arguments: [now, Data(digest), number])
                orders += 1
            }
            let kept = letters.filter { $0.status != DeadLetterStatus.discarded.rawValue }
            for id in ids {
                try db.cachedStatement(sql: "UPDATE refund_details SET payment_intent_id = NULL WHERE order_id = ?")
                    .execute(arguments: [id.text])
                try Self.note(.eraseOrder, id.text, by: by, at: now, db)
            }
            try Self.requestCheckpoint(db)
            for letter in kept { try Self.removeBytes(ofDeadLetter: letter.number, now: now, db) }
            return .erased(
                orders: orders, deadLetters: kept.count,
                refunds: try ids.reduce(0) { try $0 + Self.refundCount(of: $1, db) })
        }
    }

    /// Excludes the cancellations that wait for their order: they hold no customer data, and are still needed.
    private static let lettersOfOrder = """
        SELECT id, status FROM dead_letters WHERE order_id = ? AND (reason != 'unknown_order' OR status != 'open')
        ORDER BY id
        """

    private static func exists(_ id: Identifier, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT \(Schema.orderNumber(ofID: "?")) IS NOT NULL"), arguments: [id.text])
            ?? false
    }

    /// Keeps the `erased_at` and `payment_digest` of the first erasure: a later one no longer finds the payment intent
    /// in the row.
    private static let eraseOrder = """
        UPDATE order_details SET stripe_payment_intent_id = NULL, erased_at = coalesce(erased_at, ?),
            payment_digest = coalesce(payment_digest, ?)
        WHERE number = ?
        """
}
