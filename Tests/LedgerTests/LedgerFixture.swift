import Foundation
import GRDB
import Domain
import Ledger
import LedgerSamples
import SQLiteLedger
import TestSupport
import Testing

@testable import MemoryLedger

/// The backends that store ledgers. Each passes all tests of this folder and lists what it lacks.
enum Backend: CaseIterable, CustomTestStringConvertible {
    case sqlite
    case memory

    var testDescription: String {
        switch self {
        case .sqlite: "SQLite"
        case .memory: "memory"
        }
    }

    /// Features that a backend may lack.
    enum Capability: CaseIterable {
        /// Files that hold a whole ledger.
        case backups
        /// Damage that shows only when it is read.
        case inspection
        /// Findings for `doctor` about the underlying storage.
        case findings
    }

    var capabilities: Set<Capability> {
        switch self {
        case .sqlite: [.backups, .inspection, .findings]
        case .memory: []
        }
    }
}

/// The location of a ledger of a backend, which may or may not exist.
struct TestLedgerLocation: Sendable {
    let backend: Backend
    let folder: TemporaryFolder
    let place: any LedgerLocation

    init(_ backend: Backend) throws {
        self.backend = backend
        folder = try TemporaryFolder()
        place =
            switch backend {
            case .sqlite: SQLiteLedgerLocation(path: folder.path(of: "ledger.db"))
            case .memory: MemoryLedgerLocation()
            }
    }

    // MARK: - Beyond the ports

    /// Replaces the ledger with another one.
    func replace() async throws {
        switch place {
        case let place as MemoryLedgerLocation: place.replace()
        default:
            let path = folder.path(of: "ledger.db")
            try FileManager.default.removeItem(atPath: path)
            try Data().write(to: URL(fileURLWithPath: path))
        }
    }

    /// Changes the stored data without the knowledge of open ledgers.
    func tamper(sqlite sql: String, memory: (inout MemoryTables) -> Void) throws {
        switch place {
        case let place as MemoryLedgerLocation: place.tamper(memory)
        default:
            var configuration = Configuration()
            configuration.foreignKeysEnabled = false
            let queue = try DatabaseQueue(path: folder.path(of: "ledger.db"), configuration: configuration)
            try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
            try queue.close()
        }
    }
}

/// A new ledger of the store "main", open.
struct LedgerFixture: Sendable {
    typealias WholeLedger = LedgerStore & LedgerAdmin

    let location: TestLedgerLocation
    let ledger: any WholeLedger

    @discardableResult
    func record(_ records: BatchRecord<DecidedCommand>..., attemptsOver: [EntryIdentity] = []) async throws
        -> RecordResult
    {
        try await ledger.recordNext(records, attemptsOver: attemptsOver)
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

    /// The statuses of all dead letters, oldest first.
    func deadLetterStatuses() async throws -> [DeadLetterStatus] {
        try await ledger.deadLetters(reason: nil, status: nil, limit: 100_000, after: nil).elements.reversed()
            .map(\.status)
    }

    /// Everything that is stored: if two of these are equal, nothing was written.
    func everything() async throws -> [String] {
        switch location.place {
        case let place as MemoryLedgerLocation:
            var tables: MemoryTables?
            place.tamper { tables = $0 }
            return try await contents() + [String(reflecting: tables)]
        default:
            let dump = try await DatabaseQueue(path: location.folder.path(of: "ledger.db")).read { db in
                let names = try String.fetchAll(
                    db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
                return try names.map { name in
                    // Each transaction changes these, whatever it writes.
                    let states: Set<String> = name == "ledger" ? ["state", "state_before"] : []
                    let rows = try Row.fetchAll(db, sql: "SELECT * FROM \(name)").map { row in
                        let columns = Array(row.columnNames).filter { !states.contains($0) }
                        return columns.map { "\($0): \(row[$0] as DatabaseValue)" }
                    }
                    return "\(name): \(rows)"
                }
            }
            return try await contents() + dump
        }
    }

    /// Everything that the ports return.
    func contents() async throws -> [String] {
        var contents: [String] = []
        func add(_ part: Any) { contents.append(String(reflecting: part)) }
        add(try await ledger.head())
        add(try await ledger.journal(after: 0, limit: 100_000))
        add(try await ledger.outcomes(after: EpochPosition(epoch: 0, position: 0), limit: 100_000))
        add(try await ledger.statistics())
        var check = try await ledger.check()
        add(Command.Kind.allCases.map { check.commands[$0] ?? 0 })
        check.commands = [:]
        add(check)
        add(try await ledger.stock())
        add(try await ledger.listing())
        let orders = try await ledger.orders(status: nil, limit: 100_000, after: nil).elements
        for order in orders {
            let orderDetails = try await ledger.orderDetails(of: order.checkout.orderID)
            add(orderDetails)
            add(try await ledger.history(of: order.checkout.orderID))
            // Items of a whole checkout are packed.
            add(orderDetails.order?.checkout.items ?? [])
        }
        for counter in try await ledger.counterNames(after: nil, limit: 99).names {
            for listing in [false, true] {
                add(
                    try await ledger.stockHistory(of: counter, listingOrders: listing, limit: 7, after: nil).elements)
            }
        }
        add(try await ledger.adjustments(limit: 100_000, after: nil))
        let letters = try await ledger.deadLetters(reason: nil, status: nil, limit: 100_000, after: nil).elements
        for letter in letters { add(try await ledger.deadLetter(letter.number) as Any) }
        add(try await ledger.refunds(limit: 100_000, after: nil))
        add(try await ledger.repairs(limit: 100_000, after: nil))
        add(try await ledger.audit(limit: 100_000, after: nil))
        add(try await ledger.catalogueChanges(of: nil, limit: 100_000, after: nil))
        add(try await ledger.requestedReplays(limit: 100_000))
        add(try await ledger.isErasureComplete())
        return contents
    }

    /// Sets what a counter has sold, without an order for it.
    func set(_ counter: CounterName, sold: Int64) throws {
        try location.tamper(
            sqlite: "UPDATE \(counter.level)_counters SET sold_quantity = \(sold) WHERE id = '\(counter.id)'",
            memory: { $0.balances[counter]?.sold = sold })
    }
}

/// - Parameter catalogue: Synced first; `nil` leaves the ledger without products.
func withLedger(
    on backend: Backend, _ catalogue: Catalogue? = .sample, isolation: isolated (any Actor)? = #isolation,
    _ body: (LedgerFixture) async throws -> Void
) async throws {
    let location = try TestLedgerLocation(backend)
    defer { withExtendedLifetime(location.folder) {} }
    try await location.place.create(store: "main")
    let ledger: any LedgerFixture.WholeLedger =
        switch location.place {
        case let place as MemoryLedgerLocation: try place.open("main")
        default: try await LedgerDatabase.open(at: location.folder.path(of: "ledger.db"), store: "main", for: .consumer)
        }
    if let catalogue { _ = try await ledger.sync(catalogue) }
    try await body(LedgerFixture(location: location, ledger: ledger))
    try ledger.close()
}

/// The kind of the error that `body` throws; `nil` if it throws none, or none of a ledger.
func kind(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> LedgerErrorKind? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? any LedgerError)?.kind
    }
}
