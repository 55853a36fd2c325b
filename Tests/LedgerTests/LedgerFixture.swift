import GRDB
import Inventory
import TestSupport
import Testing

import Ledger

@testable import SQLiteLedger

extension Catalogue {
    /// A capped product with a capped and an unlimited variant, an unlimited product, a capped one.
    static let sample = Catalogue(
        categories: ["kit", "material"],
        products: [
            Product(
                id: "cube", name: "Cube", category: "kit", devStatus: 5, basePrice: 99_500, cap: 10,
                variants: [
                    Variant(id: "black", name: "Black", cap: 6), Variant(id: "white", name: "White"),
                ]),
            Product(id: "sheet", name: "Sheet", category: "material", devStatus: 3, basePrice: 100),
            Product(id: "kit", name: "Kit", category: "kit", devStatus: 5, basePrice: 2_000, cap: 3),
        ])
}

extension LedgerDatabase {
    @discardableResult
    func raiseEpoch() async throws -> EpochStart { try await raiseEpoch(catalogueBefore: nil, reason: "test") }

    func order(_ id: Identifier) async throws -> RecordedOrder? { try await story(of: id).order }

    func sync(_ catalogue: Catalogue, dryRun: Bool) async throws -> CatalogueChanges {
        try await dryRun ? changes(by: catalogue) : sync(catalogue)
    }
}

/// A line as tests write it.
typealias Line = (product: Identifier, variant: Identifier?, units: Int64)

/// A new ledger of the store "main", in a temporary folder, open for the consumer.
struct LedgerFixture: Sendable {
    let folder: TemporaryFolder
    let ledger: LedgerDatabase

    var path: String { ledger.path }

    /// Records what continues the ledger as it is.
    @discardableResult
    func record(_ records: BatchRecord<DecidedCommand>..., attemptsOver: [EntryKey] = []) async throws -> RecordAnswer {
        try await record(records, attemptsOver: attemptsOver)
    }

    @discardableResult
    func record(
        _ records: [BatchRecord<DecidedCommand>], attemptsOver: [EntryKey] = [], replayed: [Int64] = []
    ) async throws -> RecordAnswer {
        let head = try await ledger.head()
        return try await ledger.record(
            RecordBatch(
                epoch: head.epoch, catalogueVersion: head.catalogueVersion, seqBefore: head.seq, records: records,
                attemptsOver: attemptsOver, replayed: replayed))
    }

    func sold() async throws -> [CounterName: Int64] {
        try await ledger.counters(withChangesAfter: 0).counters.compactMapValues(\.sold)
    }

    /// Every row of every table, but for the ledger's states, which each transaction changes: nothing was written if
    /// two of these are equal.
    func rows() async throws -> [String: [String]] {
        try await ledger.read { db in
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            var all: [String: [String]] = [:]
            for table in tables {
                let states: Set<String> = table == "ledger" ? ["state", "state_before"] : []
                let rows = try Row.fetchAll(db, sql: "SELECT * FROM \(table)")
                all[table] = rows.map { row -> String in
                    let names: [String] = row.columnNames.filter { !states.contains($0) }
                    return names.map { name -> String in "\(name):\(row[name] as DatabaseValue)" }.joined(
                        separator: " ")
                }
            }
            return all
        }
    }

    /// The values of one column, NULL as nil.
    func texts(_ sql: String) async throws -> [String?] {
        try await ledger.read { db in try Optional<String>.fetchAll(db, sql: sql) }
    }

    /// Edits the file as a user of `sqlite3` would.
    func tamper(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try queue.close()
    }
}

/// - Parameter catalogue: synchronised first; nil leaves the ledger without products.
func withLedger(
    _ catalogue: Catalogue? = .sample, isolation: isolated (any Actor)? = #isolation,
    _ body: (LedgerFixture) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let path = folder.path(of: "ledger.db")
    try await LedgerDatabase.create(at: path, store: "main")
    let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .consumer)
    if let catalogue { _ = try await ledger.sync(catalogue) }
    try await body(LedgerFixture(folder: folder, ledger: ledger))
    try ledger.close()
}

/// An order whose digest and entry id follow from its id.
func order(_ id: Identifier, _ lines: [Line], _ decision: Decision) -> BatchRecord<DecidedCommand> {
    let items = lines.map {
        Checkout.Item(productID: $0.product, variantID: $0.variant, units: $0.units, unitPrice: 100)
    }
    return order(Checkout(orderID: id, items: items), decision)
}

func order(_ checkout: Checkout, _ decision: Decision) -> BatchRecord<DecidedCommand> {
    let order = Order(checkout)
    return decided(
        PlannedCommand(.placeOrder(order), movements: order.movements), decision, entryID: "\(checkout.orderID)-0")
}

/// - Parameter owned: what its order owned before.
func cancellation(
    _ cancellation: Cancellation, of owned: [SKUUnits], _ decision: Decision, entryID: String = "9-0"
) -> BatchRecord<DecidedCommand> {
    let movements = Takeback(cancellation, from: owned).movements
    return decided(PlannedCommand(.cancel(cancellation), movements: movements), decision, entryID: entryID)
}

func adjustment(_ adjustment: Adjustment, _ decision: Decision, entryID: String = "8-0") -> BatchRecord<DecidedCommand>
{
    decided(PlannedCommand(.adjust(adjustment), movements: adjustment.movements), decision, entryID: entryID)
}

private func decided(_ planned: PlannedCommand, _ decision: Decision, entryID: String) -> BatchRecord<DecidedCommand> {
    .command(DecidedCommand(planned, decision, decidedAt: "2026-11-22T10:00:00.000Z", entryID: entryID))
}

func refused(_ counter: CounterName, asked: Int64, left: Int64) -> Decision {
    .refused(Shortage(counter: counter, asked: asked, left: left))
}

func deadLetter(
    _ entryID: String, fingerprint: [UInt8] = [1], reason: DeadLetterReason = .invalidJSON, payload: [UInt8]? = [0xFF],
    isWhole: Bool = true, orderID: Identifier? = nil, payment: Payment? = nil
) -> BatchRecord<DecidedCommand> {
    .deadLetter(
        DeadLetterRecord(
            key: EntryKey(entryID: entryID, fingerprint: fingerprint), cause: InvalidMessage(reason, "detail"),
            type: Array("t".utf8), payload: payload, fields: nil, bytes: 12, isWhole: isWhole,
            ids: MessageIDs(order: orderID), payment: payment, receivedAt: "2026-11-22T10:00:00.000Z"))
}

extension LedgerDatabase {
    /// Every counter, and what was recorded after `seq`.
    func counters(withChangesAfter seq: Int64) async throws -> CountersAsOf {
        try await counters(counterNames(after: nil, limit: 1_000).names, withChangesAfter: seq)
    }
}

extension Command.Key {
    static func order(_ id: Identifier) -> Command.Key { Command.Key(.placeOrder, id) }
}
