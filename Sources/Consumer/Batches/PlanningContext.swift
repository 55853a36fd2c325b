import Ingest
import Domain
import Ledger

/// The state that planning a batch depends on, besides its entries.
struct PlanningContext: Sendable {
    /// The catalogue of the epoch.
    var catalogue: CatalogueIndex
    /// The batch that is being recorded, if any: the ledger does not contain it yet.
    var recording: UnrecordedBatch?
    /// The upper bound on a batch's movements, which determine how long the gate blocks Redis. A single command may
    /// exceed it.
    var maximumMovements: Int
    var deadLetters: DeadLetterMaker
    /// Numbers of the dead letters that must be published again, by the fingerprint of their new entries.
    var requestedReplays: [[UInt8]: [Int64]] = [:]
}

extension PlanningContext {
    /// Returns the batch of an entry that has crashed the process too often: a dead letter, without decoding the entry.
    func quarantine(_ entry: StreamEntry, at time: String) -> PlannedBatch {
        let invalid = InvalidMessage(
            .crashedConsumer,
            "processing this entry alone ended the process \(ConsumerSettings.poisonAttempts) times; it was not decoded"
        )
        var batch = PlannedBatch(catalogueVersion: catalogue.version)
        batch.entries = [.poison(entry)]
        batch.plans = [.record(0)]
        batch.records = [.deadLetter(deadLetters.record(entry, invalid, at: time))]
        batch.poison = EntryIdentity(entry)
        return batch
    }
}
