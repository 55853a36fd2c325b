import Domain
import Ledger
import Synchronization

/// The location of a ledger in memory, which may or may not exist. Tasks stand in for processes: all tasks that open
/// the ledger share its tables.
package final class MemoryLedgerLocation: LedgerLocation {
    package let name: String
    private let register: MemoryLeaseRegister
    private let current = Mutex<MemoryStorage?>(nil)
    /// The number of open instances.
    private let users = Atomic(0)

    package init(_ name: String = "memory") {
        self.name = name
        register = MemoryLeaseRegister()
    }

    package var storage: String { "memory" }

    package var lease: any LeaseRegister { register }

    /// nil, because there are no files to back up.
    package var backups: (any LedgerBackups)? { nil }

    package func exists() async throws -> Bool { current.withLock { $0 != nil } }

    package func create(store: String) async throws {
        try current.withLock { storage in
            if storage != nil { throw MemoryLedgerError.alreadyExists(name) }
            let identity = String(UInt64.random(in: .min ... .max), radix: 16)
            storage = MemoryStorage(MemoryTables(identity: identity, store: store))
        }
    }

    package func openStore(_ store: String) async throws -> any LedgerStore { try open(store) }

    package func openReader(_ store: String?) async throws -> any LedgerReader { try open(store, writes: false) }

    package func openAdmin(_ store: String) async throws -> any LedgerAdmin { try open(store) }

    package func open(_ store: String?, writes: Bool = true) throws -> OpenMemoryLedger {
        guard let storage = current.withLock({ $0 }) else { throw missing() }
        let own = storage.read { $0.store }
        if let store, store != own { throw MemoryLedgerError.otherStore(name, store: own, asked: store) }
        users.add(1, ordering: .sequentiallyConsistent)
        return OpenMemoryLedger(
            storage, name: name, writes: writes, isInPlace: { [weak self] in self?.holds(storage) ?? false },
            onClose: { [weak self] in _ = self?.users.subtract(1, ordering: .sequentiallyConsistent) })
    }

    private func holds(_ storage: MemoryStorage) -> Bool { current.withLock { $0 === storage } }

    package func requireUnused() async throws {
        if try await !exists() { throw missing() }
        if users.load(ordering: .sequentiallyConsistent) > 0 { throw inUse("dropping") }
    }

    package func drop() async throws {
        try await requireUnused()
        current.withLock { $0 = nil }
    }

    package func examine() async -> [LedgerFinding] { [] }

    /// Returns nil: memory has no pages that could be damaged.
    package func inspect() async throws -> (any LedgerInspection)? { nil }

    package func inUse(_ action: String) -> any LedgerError { MemoryLedgerError.inUse(name, action: action) }

    package func missing() -> any LedgerError { MemoryLedgerError.missing(name) }

    // MARK: - Manipulation by tests

    /// Replaces the existing ledger with an empty ledger of the same store.
    package func replace() {
        current.withLock { storage in
            guard let old = storage else { return }
            storage = MemoryStorage(MemoryTables(identity: "replaced", store: old.read { $0.store }))
        }
    }

    /// Sets the sold units of a counter without recording an order.
    package func set(_ counter: CounterName, sold: Int64) { tamper { $0.balances[counter]?.sold = sold } }

    /// Changes the tables without the knowledge of the open instances.
    package func tamper(_ body: (inout MemoryTables) -> Void) {
        current.withLock { $0 }?.tamper(body)
    }
}

/// The tables, shared by all open instances of the ledger.
final class MemoryStorage: Sendable {
    private let tables: Mutex<MemoryTables>

    init(_ tables: MemoryTables) { self.tables = Mutex(tables) }

    func read<T>(_ body: (MemoryTables) throws -> T) rethrows -> T {
        let now = tables.withLock { $0 }
        return try body(now)
    }

    /// Applies all changes of `body`, or none if it throws.
    func write<T>(_ body: (inout MemoryTables) throws -> T) rethrows -> T {
        try tables.withLock { tables in
            var copy = tables
            let result = try body(&copy)
            tables = copy
            return result
        }
    }

    func tamper(_ body: (inout MemoryTables) -> Void) { tables.withLock { body(&$0) } }
}
