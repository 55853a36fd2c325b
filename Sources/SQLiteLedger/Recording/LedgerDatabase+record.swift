import Domain
import Ledger

extension LedgerDatabase {
    package func record(_ batch: JournalBatch) async throws -> RecordResult {
        do {
            return try await write(endsInPlace: true) { db in
                var writer = try BatchWriter(batch, db)
                return try writer.run()
            }
        } catch let stop as BatchWriter.Stop {
            return stop.result
        }
    }
}
