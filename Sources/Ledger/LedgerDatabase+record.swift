import Inventory

extension LedgerDatabase {
    /// Records a batch in one transaction, as the arbiter of the gate's decisions.
    ///
    /// In the order of the stream, with running figures read from the ledger: every decision must be the same as by the
    /// ledger's own caps, and the seqs must continue without a gap. Otherwise nothing is recorded. After an error the
    /// outcome may be unknown (a COMMIT that failed); looking up the messages resolves that.
    package func record(_ batch: RecordBatch) async throws -> RecordAnswer {
        do {
            return try await write { db in
                var writer = try BatchWriter(batch, db)
                return try writer.run()
            }
        } catch let stop as BatchWriter.Stop {
            return stop.answer
        }
    }
}
