import Inventory

/// An open ledger: the durable truth of one store.
///
/// Each of those who use it has a port of its own, which is all that it sees: `LedgerStore` the consumer,
/// `LedgerQueries` HTTP and the monitor, `LedgerAudit` the reconciler, `LedgerRecords` and `LedgerAdmin` the commands.
/// What a backend does for all of them is asserted by one contract suite. No asynchronous call blocks a cooperative thread. Every
/// write is one transaction: when it has returned, it survives a power cut; when it has thrown, nothing was written,
/// unless its documentation says otherwise. Errors: `LedgerError`.
package protocol OpenLedger: Sendable {
    /// Random, made when the ledger was created; the counters in Redis carry it.
    var identity: String { get }
    var store: String { get }
    /// Where it is, as messages for people say it: a path, or a URL without its password.
    var name: String { get }

    /// Throws an error of kind `replaced` if what is recorded from now on would be lost, as far as this shows without a
    /// write: another ledger is in the place of the open one. Cheap enough for every batch.
    func requireInPlace() async throws

    /// The head, read by itself.
    func head() async throws -> LedgerHead

    /// The caller makes sure that no call is under way; later ones throw.
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
