/// A ledger whose epoch can be raised.
package protocol EpochKeeper: OpenLedger {
    /// Raises the epoch by one, and reads in the same transaction the state that the counters must have.
    /// - Parameters:
    ///   - version: the catalogue version of the current counters; `nil` if unknown.
    ///   - reason: recorded with the epoch.
    func raiseEpoch(catalogueBefore version: Int64?, reason: String) async throws -> EpochStart
}
