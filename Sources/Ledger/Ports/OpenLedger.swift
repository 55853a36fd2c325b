import Domain

/// An open ledger: the source of truth of one store.
///
/// Each client depends only on its own port: the consumer on `LedgerStore`, HTTP and the monitor on `LedgerQueries`,
/// the reconciler on `LedgerAudit`, the commands on `LedgerRecords` and `LedgerAdmin`. One contract suite
/// (`LedgerTests`) verifies every backend.
///
/// No asynchronous call blocks a cooperative thread. Every write is one transaction: once it has returned, it survives
/// a power cut; if it throws, nothing was written, unless its documentation says otherwise. Errors: `LedgerError`.
package protocol OpenLedger: Sendable {
    /// A random id, generated when the ledger was created; the counters in Redis carry it.
    var identity: String { get }
    var store: String { get }
    /// The location as displayed in messages: a path, or a URL without its password.
    var name: String { get }

    /// Throws an error of kind `replaced` if the open ledger was moved, deleted or replaced, so that later writes would
    /// be lost. The check does not write, and is cheap enough for every batch. Recording a batch ends with the same
    /// check, so it is skipped for the next 5 ms.
    func requireInPlace() async throws

    /// Returns epoch, seq, number of recorded rows and catalogue version, from one read.
    func head() async throws -> LedgerHead

    /// Closes the ledger; later calls throw. The caller must ensure that no call is in progress.
    func close() throws
}
