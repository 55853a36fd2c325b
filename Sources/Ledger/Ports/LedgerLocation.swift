/// The location of a store's ledger, which may not exist yet. It is created from a URL, whose scheme selects the
/// backend.
///
/// Errors: `LedgerError`. Opening throws the kind `missing` if there is no ledger, and `failed` if it belongs to
/// another store.
package protocol LedgerLocation: Sendable, CustomStringConvertible {
    /// The location as displayed in messages: a path, or a URL without its password.
    var name: String { get }

    /// The ledger's storage as named in messages, such as "the ledger's file and its log".
    var storage: String { get }

    /// Grants the lease of the active consumer, even if there is no ledger.
    var lease: any LeaseRegister { get }

    /// Returns whether there is a ledger. The remains of an interrupted creation do not count.
    func exists() async throws -> Bool

    /// Creates an empty ledger of `store`. Throws the kind `alreadyExists` if there is one.
    func create(store: String) async throws

    /// Opens the ledger for the active consumer, which must hold the lease.
    /// - Parameter store: the store it must belong to.
    func openStore(_ store: String) async throws -> any LedgerStore

    /// Opens the ledger read-only.
    /// - Parameter store: the store it must belong to; `nil` accepts any.
    func openReader(_ store: String?) async throws -> any LedgerReader

    /// Opens the ledger for commands that write, even while a consumer is active.
    /// - Parameter store: the store it must belong to.
    func openAdmin(_ store: String) async throws -> any LedgerAdmin

    /// Throws an error of kind `inUse` if another process has the ledger open, even read-only, and of kind `missing` if
    /// there is no ledger. The caller must hold the lease, and must have closed the ledger.
    func requireUnused() async throws

    /// Deletes the ledger. Repeats the check of `requireUnused` first, and throws the same errors.
    func drop() async throws

    /// Returns findings about the ledger's storage, for `doctor`. This process must not have the ledger open.
    func examine() async -> [LedgerFinding]

    /// Starts an inspection for damage. Returns `nil` if the backend needs none.
    func inspect() async throws -> (any LedgerInspection)?

    /// Makes and restores backup files; `nil` if the backend has none.
    var backups: (any LedgerBackups)? { get }

    /// Returns an error of kind `inUse`, for a lease that another process holds.
    /// - Parameter action: a gerund with which the message begins, such as "restoring".
    func inUse(_ action: String) -> any LedgerError

    /// Returns the error of kind `missing`.
    func missing() -> any LedgerError
}

extension LedgerLocation {
    package var description: String { name }

    package func requireExistence() async throws {
        if try await !exists() { throw missing() }
    }

    /// Acquires the lease for an operation, so that no consumer is active during it.
    /// - Parameter action: as for `inUse`.
    /// - Throws: `inUse(action)` if another process holds the lease.
    package func takeLease(for action: String) async throws -> any Lease {
        guard let lease = try await lease.acquire() else { throw inUse(action) }
        return lease
    }
}
