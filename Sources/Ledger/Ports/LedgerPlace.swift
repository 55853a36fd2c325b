/// Where a store's ledger is kept, whether it is there or not. Made from a URL by the backend that serves its scheme.
///
/// Errors: `LedgerError`.
package protocol LedgerPlace: Sendable, CustomStringConvertible {
    /// As messages for people say it: a path, or a URL without its password.
    var name: String { get }

    /// What all of it is stored in, as messages say it: "the ledger's file and its log".
    var storage: String { get }

    /// Who is the active consumer.
    var lease: any LeaseRegister { get }

    /// Whether there is a ledger. What an interrupted creation has left is none.
    func exists() async throws -> Bool

    /// Makes a new ledger.
    func create(store: String) async throws

    /// Opens the ledger for the active consumer, which has the lease.
    /// - Parameter store: the store it must belong to.
    func openStore(_ store: String) async throws -> any LedgerStore

    /// - Parameter store: the store it must belong to; nil accepts any.
    func openReader(_ store: String?) async throws -> any LedgerReader

    /// - Parameter store: the store it must belong to.
    func openAdmin(_ store: String) async throws -> any LedgerAdmin

    /// Throws an error of kind `inUse` if another process has the ledger open, even only for reading. The caller has it
    /// closed, and has the lease.
    func requireUnused() async throws

    /// Deletes the ledger, after `requireUnused`.
    func drop() async throws

    /// For `doctor`: the state of what the ledger is stored in. While this process does not have it open.
    func examine() async -> [LedgerFinding]

    /// Begins to read the ledger for damage; nil: the backend's server does that by itself.
    func inspect() async throws -> (any LedgerInspection)?

    /// Files that hold a copy of the whole ledger; nil: the backend has none.
    var backups: (any LedgerBackups)? { get }

    /// The error of kind `inUse`: the lease is another process'.
    /// - Parameter action: "restoring".
    func inUse(_ action: String) -> any LedgerError

    /// The error of kind `missing`.
    func missing() -> any LedgerError
}

extension LedgerPlace {
    package var description: String { name }

    package func requireExistence() async throws {
        if try await !exists() { throw missing() }
    }

    /// Takes the lease for an operation, so that no consumer is active meanwhile.
    /// - Parameter action: "restoring".
    package func takeLease(for action: String) async throws -> any Lease {
        guard let lease = try await lease.acquire() else { throw inUse(action) }
        return lease
    }
}
