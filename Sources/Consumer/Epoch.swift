import Counters
import Domain

/// The counters as they were installed.
struct Epoch: Sendable {
    var number: Int64
    /// The counters' seq at its start.
    var seq: Int64
    var catalogue: CatalogueIndex
    /// Position of the journal's last row at its start.
    var position: Int64
    /// The position up to which the journal was announced then.
    var announced: Int64
    /// The connection over which it was installed: after a restart or a failover of Redis there is another one.
    var connection: Int
    /// Products that the catalogue has changed since the previous epoch.
    var changedProducts: [Identifier] = []

    /// Announces these products.
    var catalogueChange: Acknowledgement {
        Acknowledgement(
            epoch: number, settled: seq,
            recorded: LedgerHead.messages(upTo: position, catalogueVersion: catalogue.version),
            changed: changedProducts)
    }
}

/// A request for a new epoch.
struct EpochRequest: Sendable {
    var needed: EpochReason
    /// The catalogue version of the previous epoch; nil: there was none.
    var catalogueBefore: Int64?
    /// Epochs opened before it with nothing recorded in between: the more there are, the longer it waits.
    var epochsInARow: Int
}
