import Domain

/// The records of one batch that the ledger must write, in stream order.
package struct JournalBatch: Sendable {
    /// The epoch and the catalogue version with which the batch was planned and decided.
    package var epoch: Int64
    package var catalogueVersion: Int64
    /// The seq before the batch's first change.
    package var seqBefore: Int64
    package let records: [BatchRecord<DecidedCommand>]
    /// The counters that the batch's commands change. Computed on creation, because the pipeline waits while the ledger
    /// records.
    package let counters: Set<CounterName>
    /// Entries whose attempts are deleted with this batch.
    package var attemptsOver: [EntryIdentity]
    /// The numbers of the dead letters whose messages were published again and are contained in this batch.
    package var replayed: [Int64]

    /// Whether there is nothing to write, because everything was recorded before.
    package var isEmpty: Bool { records.isEmpty && attemptsOver.isEmpty && replayed.isEmpty }

    package init(
        epoch: Int64, catalogueVersion: Int64, seqBefore: Int64, records: [BatchRecord<DecidedCommand>] = [],
        attemptsOver: [EntryIdentity] = [], replayed: [Int64] = []
    ) {
        self.epoch = epoch
        self.catalogueVersion = catalogueVersion
        self.seqBefore = seqBefore
        self.records = records
        var counters: Set<CounterName> = []
        for case .command(let decided) in records {
            for movement in decided.planned.movements { counters.insert(movement.counter) }
        }
        self.counters = counters
        self.attemptsOver = attemptsOver
        self.replayed = replayed
    }
}
