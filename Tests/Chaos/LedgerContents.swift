import GRDB

/// The complete contents of the ledger at the end.
struct LedgerContents: Sendable {
    var head: LedgerRows.Head
    var figures: [String: LedgerRows.Stock]
    var orders: [LedgerRows.Order]
    var deadLetters: [LedgerRows.DeadLetter]
    var cancellations: [LedgerRows.Cancellation]
    var adjustments: [LedgerRows.Adjustment]
    var refunds: [LedgerRows.Refund]
    var repairs: [LedgerRows.Repair]
    var epochs: [LedgerRows.Epoch]
    var journal: LedgerRows.Journal

    init(_ rows: LedgerRows) throws {
        self = try rows.read(LedgerContents.init)
    }

    init(_ db: Database) throws {
        head = try LedgerRows.head(db)
        figures = try LedgerRows.figures(db)
        orders = try LedgerRows.orders(db)
        deadLetters = try LedgerRows.deadLetters(db)
        cancellations = try LedgerRows.cancellations(db)
        adjustments = try LedgerRows.adjustments(db)
        refunds = try LedgerRows.refunds(db)
        repairs = try LedgerRows.repairs(db)
        epochs = try LedgerRows.epochs(db)
        journal = try LedgerRows.journal(db)
    }

    /// The catalogue version of each epoch.
    var versions: [Int64: Int64] {
        Dictionary(uniqueKeysWithValues: epochs.map { ($0.number, $0.catalogueVersion) })
    }

    enum Row {
        case order(LedgerRows.Order)
        case deadLetter(LedgerRows.DeadLetter)
        case cancellation(LedgerRows.Cancellation)
        case adjustment(LedgerRows.Adjustment)
        case refund(LedgerRows.Refund)

        /// `nil` for dead letters, which have none.
        var epoch: Int64? {
            switch self {
            case .order(let row): row.epoch
            case .deadLetter: nil
            case .cancellation(let row): row.epoch
            case .adjustment(let row): row.epoch
            case .refund(let row): row.epoch
            }
        }

        var entryID: String {
            switch self {
            case .order(let row): row.entryID
            case .deadLetter(let row): row.entryID
            case .cancellation(let row): row.entryID
            case .adjustment(let row): row.entryID
            case .refund(let row): row.entryID
            }
        }
    }

    /// The prefix of order ids that may be decided out of order because a stranger read them first. All of them are
    /// accepted, and nothing else is sent at the same time, so their order is that of their seqs.
    static let unordered = "t-"

    /// Everything that was decided, in the order of the stream. Ids are times, so they also order messages that were
    /// sent again after Redis had lost them.
    var inOrder: [Row] {
        let rows =
            orders.map(Row.order) + deadLetters.map(Row.deadLetter) + cancellations.map(Row.cancellation)
            + adjustments.map(Row.adjustment) + refunds.map(Row.refund)
        let sorted = rows.map { (EntryID($0.entryID), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
        var ordered: [Row] = []
        var loose: [LedgerRows.Order] = []
        func takeLoose() {
            ordered += loose.sorted { $0.seq ?? 0 < $1.seq ?? 0 }.map(Row.order)
            loose = []
        }
        for row in sorted {
            if case .order(let order) = row, order.id.hasPrefix(Self.unordered) {
                loose.append(order)
            } else {
                takeLoose()
                ordered.append(row)
            }
        }
        takeLoose()
        return ordered
    }

    /// Rows that were recorded before one that is earlier in the stream.
    var overtakings: [String] {
        func among(_ what: String, _ rows: [(id: String, entryID: String)]) -> [String] {
            var highest = (id: "", entry: EntryID("0-0"))
            var found: [String] = []
            for (id, text) in rows {
                let entry = EntryID(text)
                if entry < highest.entry {
                    found.append("\(what) \(id) of entry \(text) was decided after \(highest.id) of a later entry")
                } else {
                    highest = (id, entry)
                }
            }
            return found
        }
        return among("order", orders.filter { !$0.id.hasPrefix(Self.unordered) }.map { ($0.id, $0.entryID) })
            + among("dead letter", deadLetters.map { ("\($0.position)", $0.entryID) })
            + among("cancellation", cancellations.map { ($0.id, $0.entryID) })
            + among("adjustment", adjustments.map { ($0.id, $0.entryID) })
            + among("refund", refunds.map { ($0.id, $0.entryID) })
    }
}
