import Failpoints
import Foundation
import GRDB
import Inventory

extension LedgerDatabase {
    /// Records a batch in one transaction, as the arbiter of the gate's decisions.
    ///
    /// In the order of the stream, with running figures read from the ledger: every decision must be the one that the
    /// ledger's own caps give, and the seqs must go on without a gap. Otherwise nothing is recorded. After an error
    /// the outcome may be unknown (a COMMIT that failed); looking the orders up tells.
    package func record(_ batch: RecordBatch) async throws -> RecordAnswer {
        do {
            return try await write { db in try BatchWriter(batch: batch).write(db) }
        } catch let stop as BatchWriter.Stop {
            return stop.answer
        }
    }
}

/// One batch on its way into the tables.
private struct BatchWriter {
    /// Leaves the transaction, which rolls back, with an answer.
    struct Stop: Error {
        var answer: RecordAnswer
    }

    private struct Figures {
        var sold: Int64
        let cap: Int64?
        let before: Int64
    }

    private let batch: RecordBatch
    private var figures: [CounterName: Figures] = [:]
    private var seq: Int64
    /// Rows that were not there before: a dead letter may be.
    private var inserted: Int64 = 0

    init(batch: RecordBatch) {
        self.batch = batch
        seq = batch.seqBefore
    }

    func write(_ db: Database) throws -> RecordAnswer {
        var writer = self
        return try writer.run(db)
    }

    private mutating func run(_ db: Database) throws -> RecordAnswer {
        let head = try LedgerHead.read(db)
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { throw Stop(answer: .outdated(head)) }
        for record in batch.records {
            switch record {
            case .order(let order):
                try arbitrate(order, db)
                try insert(order, db)
                inserted += 1
            case .deadLetter(let deadLetter):
                try insert(deadLetter, db)
                inserted += Int64(db.changesCount)
            }
        }
        let records = head.records + inserted
        try writeFigures(db, records: records)
        for key in batch.attemptsOver {
            try db.cachedStatement(sql: "DELETE FROM attempts WHERE entry_id = ? AND fingerprint = ?")
                .execute(arguments: [key.entryID, Data(key.fingerprint)])
        }
        Failpoint.recordBeforeCommit.pass()
        return .recorded(records: records)
    }

    /// Decides the order by the ledger's figures; anything but the gate's decision stops the batch.
    private mutating func arbitrate(_ order: OrderRecord, _ db: Database) throws {
        var refusal: Refusal?
        for demand in order.demand {
            let figures = try figures(of: demand.counter, db)
            let left = CapRule.left(sold: figures.sold, cap: figures.cap)
            if demand.units > left {
                refusal = Refusal(counter: demand.counter, asked: demand.units, left: left)
                break
            }
        }
        func disagree() -> Stop {
            Stop(
                answer: .disagreed(
                    Disagreement(orderID: order.checkout.orderID, gate: order.decision, ledger: refusal)))
        }
        switch order.decision {
        case .accepted(let seq):
            guard refusal == nil, seq == self.seq + 1 else { throw disagree() }
            self.seq = seq
            for demand in order.demand { figures[demand.counter]?.sold += demand.units }
        case .refused(let refused):
            guard refusal == refused else { throw disagree() }
        }
    }

    private mutating func figures(of counter: CounterName, _ db: Database) throws -> Figures {
        if let known = figures[counter] { return known }
        let table = counter.level.table
        let statement = try db.cachedStatement(sql: "SELECT sold_quantity, max_quantity FROM \(table) WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [counter.id.text]) else {
            // The catalogue version was checked, and ids are never removed from it.
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no \(counter.level) \(counter.id) in the ledger")
        }
        let read = Figures(sold: row[0], cap: row[1], before: row[0])
        figures[counter] = read
        return read
    }

    private func writeFigures(_ db: Database, records: Int64) throws {
        for (counter, figures) in figures where figures.sold != figures.before {
            let table = counter.level.table
            try db.cachedStatement(sql: "UPDATE \(table) SET sold_quantity = ? WHERE id = ?")
                .execute(arguments: [figures.sold, counter.id.text])
        }
        try db.cachedStatement(sql: "UPDATE ledger SET seq = ?, records = ?").execute(arguments: [seq, records])
    }

    // MARK: - Rows

    private static let insertOrder = """
        INSERT INTO orders (id, status, reason, refused_level, refused_id, refused_asked, refused_left, seq, epoch, units,
            decided_at, entry_id, digest, stripe_payment_intent_id, completed_at, customer_id, customer_email,
            customer_name, currency, subtotal, tax, shipping, total, shipping_name, shipping_line1, shipping_line2,
            shipping_city, shipping_state, shipping_postal_code, shipping_country)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    private static let insertItem = """
        INSERT INTO order_items (order_id, line, product_id, variant_id, quantity, unit_price, stripe_product_id,
            product_name, variant_name)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    private func insert(_ order: OrderRecord, _ db: Database) throws {
        let checkout = order.checkout
        let (customer, address) = (checkout.customer, checkout.shippingAddress)
        var (status, seq, refusal): (String, Int64?, Refusal?) = ("accepted", nil, nil)
        switch order.decision {
        case .accepted(let accepted): seq = accepted
        case .refused(let refused): (status, refusal) = ("refused", refused)
        }
        let values: [(any DatabaseValueConvertible)?] = [
            checkout.orderID.text, status, refusal?.reason.rawValue, refusal?.counter.level.rawValue,
            refusal?.counter.id.text, refusal?.asked, refusal?.left, seq, batch.epoch, checkout.units,
            order.decidedAt, order.entryID, Data(order.digest), checkout.paymentIntentID, checkout.completedAt,
            customer?.id, customer?.email, customer?.name, checkout.currency, checkout.subtotal, checkout.tax,
            checkout.shipping, checkout.total, address?.name, address?.line1, address?.line2, address?.city,
            address?.state, address?.postalCode, address?.country,
        ]
        try db.cachedStatement(sql: Self.insertOrder).execute(arguments: StatementArguments(values))
        let statement = try db.cachedStatement(sql: Self.insertItem)
        for (line, item) in checkout.items.enumerated() {
            try statement.execute(arguments: [
                checkout.orderID.text, line + 1, item.productID.text, item.variantID?.text, item.quantity,
                item.unitPrice, item.stripeProductID, item.productName, item.variantName,
            ])
        }
    }

    private func insert(_ deadLetter: DeadLetterRecord, _ db: Database) throws {
        // The conflict is named: any other one is an error.
        try db.cachedStatement(
            sql: """
                INSERT INTO dead_letters (entry_id, reason, detail, type, payload, fields, order_id, fingerprint, received_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entry_id, fingerprint) DO NOTHING
                """
        ).execute(arguments: [
            deadLetter.key.entryID, deadLetter.rejection.reason.rawValue, deadLetter.rejection.detail,
            deadLetter.type.map { Data($0) }, deadLetter.payload.map { Data($0) }, deadLetter.fields.map { Data($0) },
            deadLetter.orderID?.text, Data(deadLetter.key.fingerprint), deadLetter.receivedAt,
        ])
    }
}
