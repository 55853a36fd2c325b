import Failpoints
import Foundation
import GRDB
import Inventory

/// One batch on its way into the tables, within one transaction.
struct BatchWriter {
    /// Leaves the transaction, which rolls back, with an answer.
    struct Stop: Error {
        var answer: RecordAnswer

        static func disagreed(_ disagreement: Disagreement) -> Stop { Stop(answer: .disagreed(disagreement)) }
    }

    /// A counter on the way through the batch.
    private struct Figures {
        var sold: Int64
        var adjusted: Int64
        let cap: Int64?
        let before: (sold: Int64, adjusted: Int64)
    }

    let db: Database
    let batch: RecordBatch
    private let head: LedgerHead
    private var figures: [CounterName: Figures] = [:]
    private var seq: Int64
    /// Rows that were not there before: a dead letter may be.
    private var inserted: Int64 = 0
    private(set) var refused: Int64 = 0
    /// Whether any dead letter waits for its order; asked once a batch, as there is rarely one.
    private var someWait: Bool
    /// Refunds that an accepted order may end, of earlier batches; asked once a batch, too.
    let awaitingRefunds: Int
    /// Of the last order before this batch.
    let lastOrderNumber: Int64
    /// Of statements that run one after the other.
    let texts = TextRoom()
    let insertOrders: RowsStatement
    let insertLines: RowsStatement

    init(_ batch: RecordBatch, _ db: Database) throws {
        self.db = db
        self.batch = batch
        seq = batch.seqBefore
        head = try LedgerHead.read(db)
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { throw Stop(answer: .outdated(head)) }
        (someWait, awaitingRefunds) = try Self.waiting(db)
        lastOrderNumber =
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT coalesce(max(number), 0) FROM orders")) ?? 0
        // FAIL: the transaction ends with whatever fails, so nothing need be kept for undoing one statement alone.
        insertOrders = RowsStatement(db, texts, columns: Self.orderColumns.count) {
            "INSERT OR FAIL INTO orders (\(Self.orderColumns.joined(separator: ", "))) \($0)"
        }
        insertLines = RowsStatement(db, texts, columns: Self.lineColumns.count) {
            "INSERT OR FAIL INTO order_lines (\(Self.lineColumns.joined(separator: ", "))) \($0)"
        }
    }

    mutating func run() throws -> RecordAnswer {
        try readFigures()
        var orders: [OrderRecord] = []
        orders.reserveCapacity(batch.records.count)
        var paid: [PaidLetter] = []
        for record in batch.records {
            switch record {
            case .order(let record):
                try arbitrate(record)
                orders.append(record)
                if someWait { try wake(lettersFor: record.order.id) }
                inserted += 1
            case .cancellation(let cancellation):
                try arbitrate(cancellation)
                try insert(cancellation)
                inserted += 1
            case .adjustment(let adjustment):
                try arbitrate(adjustment)
                try insert(adjustment)
                inserted += 1
            case .deadLetter(let deadLetter):
                try insert(deadLetter)
                if let payment = deadLetter.payment, db.changesCount > 0 {
                    paid.append((db.lastInsertedRowID, deadLetter, payment))
                }
                inserted += Int64(db.changesCount)
                if deadLetter.rejection.reason == .unknownOrder { someWait = true }
            }
        }
        // No cancellation stands in one batch with its order, so these may come last.
        try insert(orders)
        try recordRefunds(orders, paid)
        for key in batch.attemptsOver {
            try db.cachedStatement(sql: "DELETE FROM attempts WHERE entry_id = ? AND fingerprint = ?")
                .execute(arguments: [key.entryID, Data(key.fingerprint)])
        }
        try endReplays()
        let records = head.records + inserted
        try writeFigures(records: records)
        Failpoint.recordBeforeCommit.pass()
        return .recorded(records: records)
    }

    // MARK: - The arbiter

    /// Decides the order by the ledger's figures; anything but the gate's decision stops the batch.
    private mutating func arbitrate(_ record: OrderRecord) throws {
        var refusal: Refusal?
        for demand in record.order.demand {
            let figures = try figures(of: demand.counter)
            let left = CapRule.left(sold: figures.sold, cap: figures.cap)
            if demand.units > left {
                refusal = Refusal(counter: demand.counter, asked: demand.units, left: left)
                break
            }
        }
        switch record.decision {
        case .accepted(let seq) where refusal == nil && takeSeq(seq):
            for demand in record.order.demand { figures[demand.counter]?.sold += demand.units }
        case .refused(refusal):
            refused += 1
        default:
            throw Stop.disagreed(.order(record.order.id, gate: record.decision, ledger: refusal))
        }
    }

    /// A cancellation takes from the order what it owns now, and nothing else.
    private mutating func arbitrate(_ record: CancellationRecord) throws {
        let cancellation = record.cancellation
        let disagreed = Stop.disagreed(.cancellation(cancellation.cancellationID))
        guard let owned = try LedgerDatabase.owned(by: cancellation.orderID, db),
            cancellation.releases(from: owned) == record.releases
        else { throw disagreed }
        let demand = record.givenBack.demand()
        guard demand.isEmpty ? record.seq == nil : takeSeq(record.seq) else { throw disagreed }
        for demand in demand {
            let before = try figures(of: demand.counter)
            if before.sold < demand.units { throw Stop.disagreed(.miscounted(demand.counter)) }
            figures[demand.counter]?.sold -= demand.units
        }
        if cancellation.restock { return }
        // What the order never held may be of no product at all.
        for release in record.releases where release.released > 0 {
            for counter in release.article.counters {
                _ = try figures(of: counter)
                figures[counter]?.adjusted += release.released
            }
        }
    }

    /// An adjustment takes no more away than was added.
    private mutating func arbitrate(_ record: AdjustmentRecord) throws {
        let adjustment = record.adjustment
        let disagreed = Stop.disagreed(.adjustment(adjustment.adjustmentID))
        guard takeSeq(record.seq) else { throw disagreed }
        for counter in adjustment.article.counters {
            let before = try figures(of: counter)
            guard before.adjusted + adjustment.units >= 0, before.sold + adjustment.units <= Limit.exactInteger
            else { throw disagreed }
            figures[counter]?.sold += adjustment.units
            figures[counter]?.adjusted += adjustment.units
        }
    }

    /// Takes the next seq, if it is that one.
    private mutating func takeSeq(_ next: Int64?) -> Bool {
        guard next == seq + 1 else { return false }
        seq += 1
        return true
    }

    // MARK: - Figures

    /// Those of the batch's orders at once.
    private mutating func readFigures() throws {
        var counters: Set<CounterName> = []
        for case .order(let record) in batch.records {
            for demand in record.order.demand { counters.insert(demand.counter) }
        }
        try read(counters)
    }

    private mutating func read(_ counters: Set<CounterName>) throws {
        for level in Level.allCases {
            let statement = RowsStatement(db, texts, columns: 1) {
                """
                SELECT id, sold_quantity, adjusted_quantity, max_quantity
                FROM (\($0)) CROSS JOIN \(level.counterTable) ON id = column1
                """
            }
            let ids = counters.filter { $0.level == level }.map(\.id).sorted()
            try statement.run(ids, bind: { $0.bind($1) }) { row in
                let before = (sold: row.integer(1), adjusted: row.integer(2))
                figures[CounterName(level, Identifier(row.text(0)))] = Figures(
                    sold: before.sold, adjusted: before.adjusted, cap: row.optionalInteger(3), before: before)
            }
        }
    }

    private mutating func figures(of counter: CounterName) throws -> Figures {
        if let known = figures[counter] { return known }
        try read([counter])
        guard let read = figures[counter] else {
            // The catalogue version was checked, and ids are never removed from it.
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no \(counter.level) \(counter.id) in the ledger")
        }
        return read
    }

    private mutating func writeFigures(records: Int64) throws {
        for level in Level.allCases {
            // All are there: they were read in this transaction. FAIL as for the orders.
            let statement = RowsStatement(db, texts, columns: 3) {
                """
                INSERT OR FAIL INTO \(level.counterTable) (id, sold_quantity, adjusted_quantity) \($0)
                ON CONFLICT (id) DO UPDATE
                SET sold_quantity = excluded.sold_quantity, adjusted_quantity = excluded.adjusted_quantity
                """
            }
            // In the order of the table, so that each page is looked for once.
            let changed = figures.filter { counter, figures in
                counter.level == level && (figures.sold, figures.adjusted) != figures.before
            }.sorted { $0.key.id < $1.key.id }
            try statement.run(changed) { row, counter in
                row.bind(counter.key.id)
                row.bind(counter.value.sold)
                row.bind(counter.value.adjusted)
            }
        }
        try db.cachedStatement(sql: "UPDATE ledger SET seq = ?, records = ?, refused = refused + ?")
            .execute(arguments: [seq, records, refused])
    }
}
