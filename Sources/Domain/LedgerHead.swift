/// The state of the ledger that decisions depend on.
package struct LedgerHead: Sendable, Equatable {
    package var epoch: Int64
    /// Highest seq recorded.
    package var seq: Int64
    /// Of the journal's last row: as many rows as were ever recorded.
    package var position: Int64
    package var catalogueVersion: Int64

    /// How many rows of the journal came from messages: each version of the catalogue is one, too. A ledger that lacks
    /// some of these is an old one, however often a catalogue was brought in since.
    package var messages: Int64 { Self.messages(upTo: position, catalogueVersion: catalogueVersion) }

    package static func messages(upTo position: Int64, catalogueVersion: Int64) -> Int64 {
        max(0, position &- catalogueVersion)
    }

    package init(epoch: Int64, seq: Int64, position: Int64, catalogueVersion: Int64) {
        self.epoch = epoch
        self.seq = seq
        self.position = position
        self.catalogueVersion = catalogueVersion
    }

    /// No epoch is above this: far below the numbers at which the scripts, which count in doubles, stop being exact.
    package static let highestEpoch: Int64 = 1 << 52
}
