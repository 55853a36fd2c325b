/// A repair as stored in the ledger.
package struct RecordedRepair: Sendable {
    package var number: Int64
    package var repair: Repair
    /// The epoch that requested the repair; the next installed epoch contains it.
    package var epoch: Int64
    package var reason: String
    package var repairedAt: String

    package init(number: Int64, repair: Repair, epoch: Int64, reason: String, repairedAt: String) {
        self.number = number
        self.repair = repair
        self.epoch = epoch
        self.reason = reason
        self.repairedAt = repairedAt
    }
}
