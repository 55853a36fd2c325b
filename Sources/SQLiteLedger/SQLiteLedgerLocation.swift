import Concurrency
import Domain
import Ledger
import Files

/// The path of a SQLite file that contains a ledger, whether it exists or not.
package struct SQLiteLedgerLocation: LedgerLocation {
    /// The path of the ledger's file.
    package let path: String

    package init(path: String) { self.path = path }

    package var name: String { path }

    package var storage: String { "the ledger's file and its log" }

    package var lease: any LeaseRegister { SQLiteLeaseRegister(ledger: path) }

    package var backups: (any LedgerBackups)? { SQLiteBackups(ledger: path) }

    package func exists() async throws -> Bool {
        await offCooperativeThreads { [path] in LedgerDatabase.exists(at: path) }
    }

    package func create(store: String) async throws {
        try await LedgerDatabase.create(at: path, store: store)
    }

    package func openStore(_ store: String) async throws -> any LedgerStore {
        try await LedgerDatabase.open(at: path, store: store, for: .consumer)
    }

    package func openReader(_ store: String?) async throws -> any LedgerReader {
        try await LedgerDatabase.open(at: path, store: store, for: .reader)
    }

    package func openAdmin(_ store: String) async throws -> any LedgerAdmin {
        try await LedgerDatabase.open(at: path, store: store, for: .tool)
    }

    package func requireUnused() async throws {
        try await LedgerDatabase.requireUnused(path)
    }

    package func drop() async throws {
        try await LedgerDatabase.drop(at: path)
    }

    package func inspect() async throws -> (any LedgerInspection)? {
        try await SQLiteInspection.begin(at: path)
    }

    package func inUse(_ action: String) -> any LedgerError {
        SQLiteLedgerError.inUse(path: path, action: action)
    }

    package func missing() -> any LedgerError {
        SQLiteLedgerError.missing(path: path)
    }
}
