import Inventory
import Ledger

extension LedgerDatabase {
    package func record(_ batch: RecordBatch) async throws -> RecordAnswer {
        do {
            return try await write { db in
                var writer = try BatchWriter(batch, db)
                let answer = try writer.run()
                try self.requireInPlaceNow()
                return answer
            }
        } catch let stop as BatchWriter.Stop {
            return stop.answer
        }
    }
}
