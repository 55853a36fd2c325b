import Failpoints
import Foundation
import GRDB
import Domain
import Ledger

/// An order in a batch.
struct PlacedOrder {
    var order: Order
    /// `nil` if the order was accepted.
    var shortage: Shortage?
    /// The order's index among the batch's records.
    var place: Int
}

/// Writes one batch into the tables, in one transaction.
struct BatchWriter {
    /// Rolls back the transaction and carries its result.
    struct Stop: Error {
        var result: RecordResult
    }

    let db: Database
    let batch: JournalBatch
    private let head: LedgerHead
    private(set) var arbiter: Arbiter
    private(set) var refused: Int64 = 0
    /// Whether any dead letter waits for its order, which is rare.
    private var someWait: Bool
    /// Refunds from earlier batches that an accepted order may end.
    let awaitingRefunds: Int
    /// The numbers of the last order and the last dead letter before this batch.
    let (lastOrderNumber, lastLetterNumber): (Int64, Int64)
    /// Shared by statements that run one after another.
    let texts = BindArena()

    init(_ batch: JournalBatch, _ db: Database) throws {
        self.db = db
        self.batch = batch
        arbiter = Arbiter(seq: batch.seqBefore)
        guard let row = try Row.fetchOne(db.cachedStatement(sql: Self.before)) else { throw LedgerHead.missing }
        head = try LedgerHead(row)
        guard head.epoch == batch.epoch, head.catalogueVersion == batch.catalogueVersion, head.seq == batch.seqBefore
        else { throw Stop(result: .outdated(head)) }
        (awaitingRefunds, someWait) = (try row.value(4), try row.value(5))
        (lastOrderNumber, lastLetterNumber) = (try row.value(6), try row.value(7))
        guard max(head.position, lastOrderNumber, lastLetterNumber) < Self.highestNumber else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an impossible row number")
        }
    }

    /// The state before the batch, in one row. No row is ever deleted from these tables, so the next row gets the next
    /// number.
    private static let before = """
        SELECT \(LedgerHead.columns), refunds_awaiting_order,
            EXISTS (SELECT 1 FROM dead_letters WHERE reason = 'unknown_order' AND status = 'open'),
            (SELECT coalesce(max(number), 0) FROM order_details), (SELECT coalesce(max(id), 0) FROM dead_letters)
        FROM ledger
        """

    /// Far above any possible number, and far below the point where an addition would overflow.
    private static let highestNumber: Int64 = 1 << 52

    mutating func run() throws -> RecordResult {
        try loadBalances()
        let (orders, taken) = try confirmAll()
        try writeJournal()
        // A batch never contains both a cancellation and its order, so the orders may be inserted last.
        let paid = orders.count == batch.records.count ? [] : try insertOthers(taken)
        if someWait {
            for placed in orders { try wake(lettersFor: placed.order.id) }
            for order in paid.compactMap(\.payment.orderID) { try wake(lettersFor: order, isDead: true) }
        }
        try insert(orders)
        try recordRefunds(orders, paid)
        for key in batch.attemptsOver {
            try db.cachedStatement(sql: "DELETE FROM attempts WHERE entry_id = ? AND fingerprint = ?")
                .execute(arguments: [key.entryID, Data(key.fingerprint)])
        }
        try endReplays()
        let position = position(ofRecord: batch.records.count - 1)
        try writeBalances(position)
        Failpoint.recordBeforeCommit.pass()
        return .recorded(position: position)
    }

    /// - Parameter place: the record's index in the batch.
    func position(ofRecord place: Int) -> Int64 { head.position + 1 + Int64(place) }

    /// Inserts the rows of the journal. A record that already exists is not skipped: it shows that the batch was
    /// planned from an outdated state of the ledger.
    private func writeJournal() throws {
        do {
            try insertJournal()
        } catch let error as DatabaseError
            where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE
            && error.message?.contains("journal.key") == true
        {
            throw Stop(result: .outdated(head))
        }
    }

    /// Decides every command again.
    /// - Returns: the orders, and the units that each cancellation takes from its order, by the cancellation's index in
    ///   the batch.
    private mutating func confirmAll() throws -> (orders: [PlacedOrder], taken: [Int: [CancellationEffect.Line]]) {
        var orders: [PlacedOrder] = []
        orders.reserveCapacity(batch.records.count)
        var taken: [Int: [CancellationEffect.Line]] = [:]
        for (place, record) in batch.records.enumerated() {
            guard case .command(let decided) = record else { continue }
            let lines = try confirm(decided)
            if case .placeOrder(let order) = decided.command {
                let shortage = decided.decision.shortage
                if shortage != nil { refused += 1 }
                orders.append(PlacedOrder(order: order, shortage: shortage, place: place))
            } else if !lines.isEmpty {
                taken[place] = lines
            }
        }
        return (orders, taken)
    }

    /// Inserts the details of all records except orders.
    /// - Returns: the dead letters of checkouts.
    private mutating func insertOthers(_ taken: [Int: [CancellationEffect.Line]]) throws -> [PaidLetter] {
        var paid: [PaidLetter] = []
        var letters = lastLetterNumber
        for (place, record) in batch.records.enumerated() {
            let position = position(ofRecord: place)
            switch record {
            case .deadLetter(let deadLetter):
                letters += 1
                try insert(deadLetter, number: letters, position)
                if let payment = deadLetter.payment { paid.append((letters, deadLetter, payment)) }
                if deadLetter.cause.reason == .unknownOrder { someWait = true }
            case .command(let decided): try insert(decided, taking: taken[place] ?? [], position)
            }
        }
        return paid
    }

    /// Decides the command again from the ledger's balances. A decision that differs from the gate's stops the batch.
    /// - Returns: the units that a cancellation takes from its order.
    private mutating func confirm(_ decided: DecidedCommand) throws -> [CancellationEffect.Line] {
        do {
            return try arbiter.confirm(decided)
        } catch .unknownCounter(let counter) {
            // The catalogue version was checked, and ids are never removed from the catalogue.
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no \(counter.level) \(counter.id) in the ledger")
        } catch {
            throw Stop(result: .disagreed(error))
        }
    }

    // MARK: - Balances

    /// Loads everything that the arbiter needs for the whole batch. A batch never contains both a cancellation and its
    /// order.
    private mutating func loadBalances() throws {
        for case .command(let decided) in batch.records {
            guard case .cancel(let cancellation) = decided.command else { continue }
            let order = cancellation.orderID
            if arbiter.owned(by: order) == nil, let owned = try LedgerDatabase.owned(by: order, db) {
                arbiter.load(order: order, owns: owned)
            }
        }
        for (level, select) in Self.selectBalances {
            let ids = batch.counters.filter { $0.level == level }.map(\.id).sorted()
            try select.run(ids, in: db, texts, bind: { $0.bind($1) }) { row in
                arbiter.load(
                    CounterName(level, Identifier(row.text(0))),
                    Balance(sold: row.integer(1), adjusted: row.integer(2), cap: row.optionalInteger(3)))
            }
        }
    }

    private static let selectBalances = statements(columns: 1) { level, ids in
        """
        SELECT id, sold_quantity, adjusted_quantity, max_quantity
        FROM (\(ids)) CROSS JOIN \(level.counterTable) ON id = column1
        """
    }

    /// Every row exists, because it was read in this transaction, so each insert is an update. `OR FAIL` as in
    /// `MultiRowStatement.init(inserting:into:)`.
    private static let updateBalances = statements(columns: 3) { level, balances in
        """
        INSERT OR FAIL INTO \(level.counterTable) (id, sold_quantity, adjusted_quantity) \(balances)
        ON CONFLICT (id) DO UPDATE
        SET sold_quantity = excluded.sold_quantity, adjusted_quantity = excluded.adjusted_quantity
        """
    }

    private static func statements(
        columns: Int, _ sql: (CapLevel, _ values: String) -> String
    ) -> [(level: CapLevel, statement: MultiRowStatement)] {
        CapLevel.allCases.map { level in (level, MultiRowStatement(columns: columns) { sql(level, $0) }) }
    }

    private func writeBalances(_ position: Int64) throws {
        let changes = arbiter.changes
        for (level, update) in Self.updateBalances {
            // In the order of the table, so that each page is visited once.
            let changed = changes.filter { $0.counter.level == level }.sorted { $0.counter.id < $1.counter.id }
            try update.run(changed, in: db, texts) { row, change in
                row.bind(change.counter.id)
                row.bind(change.balance.sold)
                row.bind(change.balance.adjusted)
            }
        }
        try db.cachedStatement(sql: "UPDATE ledger SET seq = ?, position = ?, refused = refused + ?")
            .execute(arguments: [arbiter.seq, position, refused])
    }
}
