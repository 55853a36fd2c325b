import Failpoints
import Foundation
import GRDB
import Inventory
import Ledger

/// An order of a batch, with its decision.
struct PlacedOrder {
    var order: Order
    var decided: DecidedCommand
}

/// Writes one batch into the tables, within one transaction.
struct BatchWriter {
    /// Rolls the transaction back and carries the answer.
    struct Stop: Error {
        var answer: RecordAnswer
    }

    let db: Database
    let batch: RecordBatch
    private let head: LedgerHead
    private(set) var arbiter: Arbiter
    /// Rows that did not exist before: a dead letter may exist already.
    private var inserted: Int64 = 0
    private(set) var refused: Int64 = 0
    /// Whether any dead letter waits for its order; queried once per batch, as there is rarely one.
    private var someWait: Bool
    /// Refunds from earlier batches that an accepted order may end; queried once per batch, too.
    let awaitingRefunds: Int
    /// The number of the last order before this batch.
    let lastOrderNumber: Int64
    /// Shared by statements that run one after the other.
    let texts = TextRoom()
    let insertOrders: RowsStatement
    let insertLines: RowsStatement

    init(_ batch: RecordBatch, _ db: Database) throws {
        self.db = db
        self.batch = batch
        arbiter = Arbiter(seq: batch.seqBefore)
        head = try LedgerHead.read(db)
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { throw Stop(answer: .outdated(head)) }
        (someWait, awaitingRefunds) = try Self.waiting(db)
        lastOrderNumber =
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT coalesce(max(number), 0) FROM orders")) ?? 0
        // FAIL: any failure ends the transaction, so SQLite need not keep anything to undo one statement alone.
        insertOrders = RowsStatement(db, texts, columns: Self.orderColumns.count) {
            "INSERT OR FAIL INTO orders (\(Self.orderColumns.joined(separator: ", "))) \($0)"
        }
        insertLines = RowsStatement(db, texts, columns: Self.lineColumns.count) {
            "INSERT OR FAIL INTO order_lines (\(Self.lineColumns.joined(separator: ", "))) \($0)"
        }
    }

    mutating func run() throws -> RecordAnswer {
        try loadBalances()
        var orders: [PlacedOrder] = []
        orders.reserveCapacity(batch.records.count)
        var paid: [PaidLetter] = []
        for record in batch.records {
            switch record {
            case .command(let decided):
                if let order = try write(decided) { orders.append(order) }
                inserted += 1
            case .deadLetter(let deadLetter):
                try insert(deadLetter)
                if let payment = deadLetter.payment, db.changesCount > 0 {
                    paid.append((db.lastInsertedRowID, deadLetter, payment))
                }
                inserted += Int64(db.changesCount)
                if deadLetter.cause.reason == .unknownOrder { someWait = true }
            }
        }
        // No cancellation is in the same batch as its order, so the orders may be inserted last.
        try insert(orders)
        try recordRefunds(orders, paid)
        for key in batch.attemptsOver {
            try db.cachedStatement(sql: "DELETE FROM attempts WHERE entry_id = ? AND fingerprint = ?")
                .execute(arguments: [key.entryID, Data(key.fingerprint)])
        }
        try endReplays()
        let records = head.records + inserted
        try writeBalances(records: records)
        Failpoint.recordBeforeCommit.pass()
        return .recorded(records: records)
    }

    /// - Returns: an order, which is inserted later, together with the others.
    private mutating func write(_ decided: DecidedCommand) throws -> PlacedOrder? {
        switch decided.command {
        case .placeOrder(let order):
            try confirm(decided)
            if decided.decision.shortage != nil { refused += 1 }
            if someWait { try wake(lettersFor: order.id) }
            return PlacedOrder(order: order, decided: decided)
        case .cancel(let cancellation):
            // Confirm first: the rows are written from what the order owns afterwards.
            let lines = try confirm(decided)
            try insert(cancellation, lines, decided)
        case .adjust(let adjustment):
            try confirm(decided)
            try insert(adjustment, decided)
        }
        return nil
    }

    /// Decides the command again by the ledger's balances; anything but the gate's decision stops the batch.
    /// - Returns: for a cancellation, what it takes from its order.
    @discardableResult
    private mutating func confirm(_ decided: DecidedCommand) throws -> [Takeback.Line] {
        do {
            return try arbiter.confirm(decided)
        } catch .unknownCounter(let counter) {
            // The catalogue version was checked, and ids are never removed from it.
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no \(counter.level) \(counter.id) in the ledger")
        } catch {
            throw Stop(answer: .disagreed(error))
        }
    }

    // MARK: - Balances

    /// Loads everything that the arbiter needs for the whole batch: no cancellation is in the same batch as its order.
    private mutating func loadBalances() throws {
        var counters: Set<CounterName> = []
        for case .command(let decided) in batch.records {
            for movement in decided.planned.movements { counters.insert(movement.counter) }
            guard case .cancel(let cancellation) = decided.command else { continue }
            let order = cancellation.orderID
            if arbiter.owned(by: order) == nil, let owned = try LedgerDatabase.owned(by: order, db) {
                arbiter.load(order: order, owns: owned)
            }
        }
        for level in Level.allCases {
            let statement = RowsStatement(db, texts, columns: 1) {
                """
                SELECT id, sold_quantity, adjusted_quantity, max_quantity
                FROM (\($0)) CROSS JOIN \(level.counterTable) ON id = column1
                """
            }
            let ids = counters.filter { $0.level == level }.map(\.id).sorted()
            try statement.run(ids, bind: { $0.bind($1) }) { row in
                arbiter.load(
                    CounterName(level, Identifier(row.text(0))),
                    Balance(sold: row.integer(1), adjusted: row.integer(2), cap: row.optionalInteger(3)))
            }
        }
    }

    private func writeBalances(records: Int64) throws {
        let changes = arbiter.changes
        for level in Level.allCases {
            // All rows exist: they were read in this transaction. FAIL as for the orders.
            let statement = RowsStatement(db, texts, columns: 3) {
                """
                INSERT OR FAIL INTO \(level.counterTable) (id, sold_quantity, adjusted_quantity) \($0)
                ON CONFLICT (id) DO UPDATE
                SET sold_quantity = excluded.sold_quantity, adjusted_quantity = excluded.adjusted_quantity
                """
            }
            // In the order of the table, so that each page is visited once.
            let changed = changes.filter { $0.counter.level == level }.sorted { $0.counter.id < $1.counter.id }
            try statement.run(changed) { row, change in
                row.bind(change.counter.id)
                row.bind(change.balance.sold)
                row.bind(change.balance.adjusted)
            }
        }
        try db.cachedStatement(sql: "UPDATE ledger SET seq = ?, records = ?, refused = refused + ?")
            .execute(arguments: [arbiter.seq, records, refused])
    }
}
