import Counters
import Domain

/// An epoch, with the state that was installed in Redis at its start.
struct Epoch: Sendable {
    var number: Int64
    /// The counters' seq at its start.
    var seq: Int64
    var catalogue: CatalogueIndex
    /// The position of the journal's last row at its start.
    var position: Int64
    /// The position up to which the journal was announced at its start.
    var announced: Int64
    /// The number of the connection over which it was installed. It changes when Redis restarts or fails over.
    var connection: Int
    /// Products that have changed in the catalogue since the previous epoch.
    var changedProducts: [Identifier] = []

    /// The announcement of these products.
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
    /// The catalogue version of the previous epoch; `nil` if there was none.
    var catalogueBefore: Int64?
    /// The number of epochs opened before this one with nothing recorded in between. The more there are, the longer the
    /// wait before it is opened.
    var epochsInARow: Int
}
