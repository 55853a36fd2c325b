import Counters
import Inventory

/// The counters as they were installed.
struct Epoch: Sendable {
    var number: Int64
    /// The counters' seq at its start.
    var seq: Int64
    var catalogue: CatalogueIndex
    /// Rows that the ledger had recorded at its start.
    var records: Int64
    /// The connection over which it was installed: whatever happens to the counters later, happens over another one.
    var connection: Int
    /// Products that a later catalogue than the one of the epoch before has changed.
    var changedProducts: [Identifier] = []

    /// Tells listeners of these products.
    var catalogueChange: Acknowledgement {
        Acknowledgement(
            epoch: number, settled: seq, recorded: records, entries: [], outcomes: [], changed: changedProducts)
    }
}

/// What a new epoch is opened by.
struct EpochRequest: Sendable {
    var needed: EpochNeeded
    /// Of the epoch before; nil: there was none.
    var catalogueBefore: Int64?
    /// Epochs that came before it with nothing recorded in between: it waits longer the more they are.
    var epochsInARow: Int
}
