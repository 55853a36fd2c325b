/// The position of a record among everything that a store has ever recorded, in any of its ledgers.
///
/// After a ledger is replaced by a backup, positions are reused for other records, but only in a higher epoch: a later
/// record never has a lower `EpochPosition`.
package struct EpochPosition: Sendable, Equatable {
    package var epoch: Int64
    /// The position in the journal.
    package var position: Int64

    package init(epoch: Int64, position: Int64) {
        self.epoch = epoch
        self.position = position
    }

    /// Parses `EPOCH:POSITION`, the form that commands read and print.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int64(parts[0]), let position = Int64(parts[1]), epoch >= 0, position >= 0
        else { return nil }
        self.init(epoch: epoch, position: position)
    }

    package var text: String { "\(epoch):\(position)" }
}
