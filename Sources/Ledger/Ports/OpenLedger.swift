import Domain

/// An open ledger: the source of truth of one store.
///
/// Each client depends only on its own port: the consumer on `LedgerStore`, HTTP and the monitor on `LedgerQueries`,
/// the reconciler on `LedgerAudit`, the commands on `LedgerRecords` and `LedgerAdmin`. One contract suite
/// (`LedgerTests`) asserts what every backend must do.
///
/// No asynchronous call blocks a cooperative thread. Every write is one transaction: once it has returned, it survives
/// a power cut; if it throws, nothing was written, unless its documentation says otherwise. Errors: `LedgerError`.
package protocol OpenLedger: Sendable {
    /// Random, made when the ledger was created; the counters in Redis carry it.
    var identity: String { get }
    var store: String { get }
    /// The location as messages show it: a path, or a URL without its password.
    var name: String { get }

    /// Throws an error of kind `replaced` if later writes would be lost, because the open ledger was moved, deleted or
    /// replaced. Checked without a write, and not again for 5 ms after a batch, which ends with that check; cheap enough
    /// for every batch.
    func requireInPlace() async throws

    /// Epoch, seq, number of recorded rows and catalogue version, in one read.
    func head() async throws -> LedgerHead

    /// Closes the ledger; later calls throw. The caller must ensure that no call is in progress.
    func close() throws
}

/// A ledger whose epoch can be raised.
package protocol EpochKeeper: OpenLedger {
    /// Raises the epoch by one, and reads in the same transaction what the counters must be.
    /// - Parameters:
    ///   - version: the catalogue version that the counters had so far; nil: unknown.
    ///   - reason: kept with the epoch.
    func raiseEpoch(catalogueBefore version: Int64?, reason: String) async throws -> EpochStart
}
