import GRDB
import Domain
import TestSupport
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

/// A new ledger of the store "main", in a temporary folder, open for the consumer.
struct LedgerFixture: Sendable {
    let folder: TemporaryFolder
    let ledger: LedgerDatabase

    var path: String { ledger.path }

    /// Records a batch that continues the ledger's current head.
    @discardableResult
    func record(_ records: BatchRecord<DecidedCommand>..., attemptsOver: [EntryIdentity] = []) async throws
        -> RecordResult
    {
        try await record(records, attemptsOver: attemptsOver)
    }

    @discardableResult
    func record(
        _ records: [BatchRecord<DecidedCommand>], attemptsOver: [EntryIdentity] = [], replayed: [Int64] = []
    ) async throws -> RecordResult {
        try await ledger.recordNext(records, attemptsOver: attemptsOver, replayed: replayed)
    }

    func sold() async throws -> [CounterName: Int64] {
        try await ledger.counters(withChangesAfter: 0).counters.compactMapValues(\.sold)
    }

    /// All rows of all tables except the ledger's states, which each transaction changes: if two of these are equal,
    /// nothing was written.
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

    /// The values of one column; `nil` for NULL.
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

/// - Parameter catalogue: Synced first; `nil` leaves the ledger without products.
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
