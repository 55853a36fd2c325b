/// The part of the ledger's state that decisions depend on.
package struct LedgerHead: Sendable, Equatable {
    package var epoch: Int64
    /// The highest seq recorded.
    package var seq: Int64
    /// The position of the journal's last row, which equals the number of rows ever recorded.
    package var position: Int64
    package var catalogueVersion: Int64

    /// The number of journal rows that came from messages: each version of the catalogue also takes one row. A ledger
    /// that lacks some of these rows is an old one, however often a catalogue was imported since.
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

    /// The maximum epoch: far below the numbers at which the scripts, which count in doubles, stop being exact.
    package static let highestEpoch: Int64 = 1 << 52
}
