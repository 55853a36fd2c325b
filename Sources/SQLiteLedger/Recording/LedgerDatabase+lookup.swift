import Foundation
import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func priorState(for lookup: BatchLookup) async throws -> PriorState {
        try await read { db in
            var prior = PriorState()
            let texts = BindArena()
            try Self.lookUp(lookup.keys, &prior, db, texts)
            try Self.selectDeadLetters.run(lookup.entryIDs, in: db, texts, bind: { $0.bind($1) }) { row in
                var ids = MessageIDs()
                for (column, kind) in Command.Kind.allCases.enumerated() {
                    ids[kind] = row.optionalText(CInt(6 + column)).map { Identifier($0) }
                }
                let outcome = Outcome(kind: .deadLetter, ids: ids, reason: row.text(2), decidedAt: row.text(3))
                prior.deadLetters[EntryIdentity(entryID: row.text(0), fingerprint: row.blob(1))] = RecordedOutcome(
                    outcome: outcome, place: EpochPosition(epoch: row.integer(4), position: row.integer(5)))
            }
            for order in lookup.orders where prior.owned[order] == nil {
                if let owned = try Self.owned(by: order, db) { prior.owned[order] = owned }
            }
            for order in lookup.paidOrders where prior.payments[order] == nil {
                if let payments = try Self.payments(of: order, db) { prior.payments[order] = payments }
            }
            for counter in lookup.adjustedCounters {
                prior.balances[counter] = try Self.balance(of: counter, db)
            }
            return prior
        }
    }

    package func priorDecision(of key: Command.Key) async throws -> PriorDecision? {
        try await priorState(for: BatchLookup(keys: [key])).decisions[key]
    }

    package func objection(to adjustment: Adjustment) async throws -> InvalidMessage? {
        try await read { db in
            let catalogue = try Self.counters(db, version: LedgerHead.read(db).catalogueVersion).1
            return try catalogue.violation(in: adjustment)
                ?? adjustment.violation { try Self.balance(of: $0, db) }
        }
    }

    private static func balance(of counter: CounterName, _ db: Database) throws -> Balance? {
        try Row.fetchOne(
            db,
            sql: """
                SELECT sold_quantity, adjusted_quantity, max_quantity FROM \(counter.level.counterTable) WHERE id = ?
                """,
            arguments: [counter.id.text]
        ).map { try Balance(sold: $0.value(0), adjusted: $0.value(1), cap: $0.value(2)) }
    }

    private static let selectDeadLetters = MultiRowStatement(columns: 1) {
        """
        SELECT letter.entry_id, fingerprint, letter.reason, received_at, epoch, position, \(Schema.idColumns)
        FROM (\($0)) CROSS JOIN dead_letters AS letter ON letter.entry_id = column1
        CROSS JOIN journal USING (position)
        """
    }

    private static let selectDecisions = Command.Kind.allCases.map { kind in
        let select = MultiRowStatement(columns: 1) {
            """
            SELECT key, digest, outcome, reason, seq, units, decided_at, epoch, position,
                \(Schema.orderID(ofJournal: kind) ?? "NULL")
            FROM (\($0))
            CROSS JOIN journal ON key = column1 WHERE kind = '\(JournalKind(kind).rawValue)'
            """
        }
        return (kind: kind, statement: select)
    }

    private static func lookUp(
        _ keys: [Command.Key], _ prior: inout PriorState, _ db: Database, _ texts: BindArena
    ) throws {
        for (kind, select) in selectDecisions {
            let ids = keys.lazy.filter { $0.kind == kind }.map(\.id)
            if ids.isEmpty { continue }
            try select.run(Array(ids), in: db, texts, bind: { $0.bind($1) }) { row in
                let key = Command.Key(kind, Identifier(row.text(0)))
                var outcome = Outcome(
                    of: key, ids: key.ids, seq: row.optionalInteger(4), decidedAt: row.text(6))
                outcome.kind = Outcome.Kind(rawValue: row.text(2)) ?? outcome.kind
                outcome.reason = row.text(3)
                outcome.units = row.optionalInteger(5)
                if let order = row.optionalText(9) { outcome.ids.order = Identifier(order) }
                prior.decisions[key] = PriorDecision(
                    digest: row.blob(1),
                    outcome: RecordedOutcome(
                        outcome: outcome, place: EpochPosition(epoch: row.integer(7), position: row.integer(8))))
            }
        }
    }

    /// Returns `nil` if there is neither an order nor a dead letter of a checkout with this id.
    private static func payments(of id: Identifier, _ db: Database) throws -> [Payment]? {
        let payments = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT stripe_payment_intent_id, currency FROM journal JOIN order_details USING (number)
                    WHERE key = ?1 AND kind = 'order'
                    UNION ALL
                    SELECT payment_intent_id, currency FROM refunds WHERE \(Schema.isOfLetters) AND order_id = ?1
                    """), arguments: [id.text]
        ).map { try Payment(orderID: id, intentID: $0.value(0), currency: $0.value(1)) }
        if !payments.isEmpty { return payments }
        let isDead = try Bool.fetchOne(
            db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE order_id = ? AND is_checkout = 1)"),
            arguments: [id.text])
        return isDead == true ? [] : nil
    }

    /// Returns the units that an order still owns, in the order of its lines, each SKU once; `nil` if there is no order
    /// with this id.
    static func owned(by order: Identifier, _ db: Database) throws -> [SKUUnits]? {
        let statement = try db.cachedStatement(
            sql: "SELECT number, seq IS NULL FROM journal WHERE key = ? AND kind = 'order'")
        guard let placed = try Row.fetchOne(statement, arguments: [order.text]) else { return nil }
        let number: Int64 = try placed.value(0)
        if try placed.value(1) { return [] }
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT product_id, variant_id, sum(units) FROM (
                        SELECT product_id, variant_id, quantity AS units, line AS place FROM order_lines
                        WHERE order_number = ?1
                        UNION ALL
                        SELECT product_id, variant_id, -released, NULL FROM cancellation_lines
                        JOIN cancellation_details USING (position)
                        WHERE order_number = ?1 AND released > 0
                    ) GROUP BY product_id, variant_id ORDER BY min(place)
                    """), arguments: [number])
        return try rows.map { row in
            try SKUUnits(
                SKU(Identifier(row.value(0)), (row.value(1) as String?).map { Identifier($0) }), row.value(2))
        }
    }

    package func attempts(_ key: EntryIdentity) async throws -> Int {
        try await read { db in
            try Int.fetchOne(
                db, sql: "SELECT attempts FROM attempts WHERE entry_id = ? AND fingerprint = ?",
                arguments: [key.entryID, Data(key.fingerprint)]) ?? 0
        }
    }

    package func noteAttempt(_ key: EntryIdentity) async throws {
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
