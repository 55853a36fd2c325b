import Domain

/// An adjustment as stored in the ledger.
package struct RecordedAdjustment: Sendable {
    package var adjustment: Adjustment
    package var seq: Int64
    package var epoch: Int64
    package var decidedAt: String
    package var entryID: String

    package init(adjustment: Adjustment, seq: Int64, epoch: Int64, decidedAt: String, entryID: String) {
        self.adjustment = adjustment
        self.seq = seq
        self.epoch = epoch
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}
