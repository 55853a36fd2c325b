import Foundation
import GRDB
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

/// A flipped bit can turn a value into one of a different type, or into an arbitrary number. Code that reads it must
/// report that, and must never crash.
@Suite("A value of a type other than its column's")
struct DamagedValuesTests {
    /// A closed ledger with rows in every table, its log checkpointed, and its backup.
    private func filled(_ fixture: LedgerFixture) async throws -> String {
        let backup = fixture.folder.path(of: "backup")
        _ = try await fixture.ledger.backUp(to: backup) { _ in }
        try await fixture.record(
            order("o1", [("cube", "black", 2)], .accepted(seq: 1)),
            order("o2", [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)),
            order("o3", [("sheet", nil, 2)], .accepted(seq: 2)),
            adjustment(
                Adjustment(adjustmentID: "a1", sku: SKU("cube", "white"), units: 1, reason: "fair"),
                .accepted(seq: 3)),
            deadLetter("7-0", reason: .productClosed, orderID: "o9", payment: Payment(orderID: "o9", amount: 7)))
        try await fixture.record(
            cancellation(
                Cancellation(cancellationID: "re_1", orderID: "o3"), of: [SKUUnits(SKU("sheet"), 2)],
                .accepted(seq: 4)))
        try await fixture.ledger.noteAttempt(EntryIdentity(entryID: "6-0", fingerprint: [1]))
        let repair = Repair(place: .counters, level: .product, id: "kit", found: 1, expected: 0, detail: "")
        _ = try await fixture.ledger.raiseEpoch(toRepair: [repair], foundIn: nil, reason: "test", by: nil)
        try fixture.ledger.close()
        return backup
    }

    /// Writes values into columns that would reject them.
    private func damage(_ path: String, table: String, column: String, value: String) throws -> Bool {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        func write(_ body: (Database) throws -> Void) throws {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction(body)
            try queue.close()
        }
        var sql = ""
        func declare(_ sql: String, _ db: Database) throws {
            try db.execute(sql: "PRAGMA writable_schema = ON")
            try db.execute(sql: "UPDATE sqlite_schema SET sql = ? WHERE name = ?", arguments: [sql, table])
        }
        try write { db in
            sql = try String.fetchOne(db, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [table]) ?? ""
            let lax = sql.replacing(") STRICT, ", with: ") ").replacing(") STRICT", with: ")")
                .replacing(/(TEXT|INTEGER|BLOB|KEY) NOT NULL/, with: { $0.1 })
            try declare(lax, db)
        }
        var isChanged = false
        try write { db in
            try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
            do {
                try db.execute(sql: "UPDATE OR IGNORE \(table) SET \(column) = \(value)")
                isChanged = db.changesCount > 0
            } catch let error as DatabaseError where [.SQLITE_MISMATCH, .SQLITE_CONSTRAINT].contains(error.resultCode) {
            }
        }
        try write { db in try declare(sql, db) }
        return isChanged
    }

    /// Every error that `body` throws must be readable and say what to do.
    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is SQLiteLedgerError {
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    private func readAll(_ ledger: LedgerDatabase, _ what: String) async {
        await attempt(what) { _ = try await ledger.statistics() }
        await attempt(what) { _ = try await ledger.stock() }
        await attempt(what) { _ = try await ledger.listing() }
        await attempt(what) { _ = try await ledger.states(of: [.product("cube"), .variant("black")]) }
        await attempt(what) { _ = try await ledger.counters(withChangesAfter: 0) }
        await attempt(what) { _ = try await ledger.orders(status: nil, limit: 1, after: nil) }
        await attempt(what) { _ = try await ledger.deadLetters(reason: nil, limit: 1, after: nil) }
        await attempt(what) { _ = try await ledger.adjustments(limit: 1, after: nil) }
        await attempt(what) { _ = try await ledger.repairs(limit: 1, after: nil) }
        await attempt(what) { _ = try await ledger.refunds(limit: 1, after: nil) }
        await attempt(what) { _ = try await ledger.refusedOrders() }
        await attempt(what) { _ = try await ledger.catalogueChanges(of: nil, limit: 99, after: nil) }
        await attempt(what) { _ = try await ledger.audit(limit: 99, after: nil) }
        await attempt(what) { _ = try await ledger.journal(after: 0, limit: 99) }
        await attempt(what) { _ = try await ledger.outcomes(after: EpochPosition(epoch: 0, position: 0), limit: 99) }
        await attempt(what) { _ = try await ledger.watermark() }
        await attempt(what) { _ = try await ledger.recount() }
        await attempt(what) { _ = try await ledger.changes(of: .product("cube"), above: 0, upTo: 9) }
        for id in ["o1", "o2", "o3", "o9"] as [Identifier] {
            await attempt(what) { _ = try await ledger.orderDetails(of: id) }
        }
        await attempt(what) {
            _ = try await ledger.priorState(
                for: BatchLookup(
                    keys: [.order("o1"), .init(.cancel, "re_1"), .init(.adjust, "a1")], entryIDs: ["7-0"],
                    orders: ["o1", "o3"], adjustedCounters: [.variant("white")]))
        }
    }

    private static let values = ["NULL", "'x'", "x'FF'", "9223372036854775807", "-9223372036854775808"]

    @Test("does not crash any read of the ledger, and fails its check", arguments: values)
    func everyColumn(_ value: String) async throws {
        try await withLedger { fixture async throws in
            let backup = try await filled(fixture)
            let path = fixture.folder.path(of: "damaged")
            let queue = try DatabaseQueue(path: fixture.path)
            let columns = try await queue.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT list.name, item.name, item.type, item."notnull" FROM pragma_table_list AS list
                        JOIN pragma_table_info(list.name) AS item
                        WHERE list.schema = 'main' AND list.type = 'table' AND list.strict
                        """
                ).map {
                    (table: $0[0] as String, column: $0[1] as String, type: $0[2] as String, notNull: $0[3] as Bool)
                }
            }
            try queue.close()
            #expect(columns.count > 120)
            var changed = 0
            for (table, column, type, notNull) in columns where Int64(value) == nil || type == "INTEGER" {
                try? FileManager.default.removeItem(atPath: path)
                try FileManager.default.copyItem(atPath: fixture.path, toPath: path)
                guard try damage(path, table: table, column: column, value: value) else { continue }
                changed += 1
                let what = "\(table).\(column) = \(value)"
                // SQLite converts numbers to text in TEXT columns, and makes no other conversion.
                let fits =
                    switch value {
                    case "NULL": !notNull
                    case "'x'": type == "TEXT"
                    case "x'FF'": type == "BLOB"
                    default: type != "BLOB"
                    }
                await attempt(what) {
                    let ledger = try await LedgerDatabase.open(at: path, store: "main", for: .reader)
                    let check = try await ledger.check()
                    #expect(fits || !check.isSound, "\(what)")
                    await readAll(ledger, what)
                    try ledger.close()
                }
                await attempt(what) {
                    var inspection = try await SQLiteInspection.begin(at: path, rowsAtOnce: 1)
                    try await inspection.readHotParts()
                    while !inspection.isDone { try await inspection.readNext() }
                    try await inspection.readWhole()
                    inspection.close()
                }
                guard table == "ledger" || ["id", "entry_id", "erased_at", "fingerprint"].contains(column) else {
                    continue
                }
                await attempt(what) {
                    let restoring = try await SQLiteRestoration.prepare(from: backup, to: path, store: "main") { _ in }
                    _ = try await restoring.missing()
                    restoring.abandon()
                }
            }
            #expect(changed > 30)
        }
    }
}
