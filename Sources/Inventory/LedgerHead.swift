/// The state of the ledger that decisions depend on.
package struct LedgerHead: Sendable, Equatable {
    package var epoch: Int64
    /// Highest seq recorded.
    package var seq: Int64
    /// Rows of orders, cancellations, adjustments and dead letters ever recorded.
    package var records: Int64
    package var catalogueVersion: Int64

    package init(epoch: Int64, seq: Int64, records: Int64, catalogueVersion: Int64) {
        self.epoch = epoch
        self.seq = seq
        self.records = records
        self.catalogueVersion = catalogueVersion
    }

    /// No epoch is above this: far below the numbers at which the scripts, which count in doubles, stop being exact.
    package static let highestEpoch: Int64 = 1 << 52
}
