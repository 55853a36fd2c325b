import Domain

/// The result of recording a batch.
package enum RecordResult: Sendable, Equatable {
    /// The batch was committed; `position` is that of the journal's last row (`LedgerHead.position`).
    case recorded(position: Int64)
    /// The ledger's epoch, catalogue version or seq is not the one that the batch was decided with, or part of the
    /// batch is already recorded. Nothing was recorded by this call.
    case outdated(LedgerHead)
    /// The ledger's own balances lead to a different decision from the gate's; nothing was recorded.
    case disagreed(Disagreement)
}
