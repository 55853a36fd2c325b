import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func journal(after position: Int64, limit: Int) async throws -> [JournalEntry] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(sql: "SELECT * FROM journal WHERE position > ? ORDER BY position LIMIT ?"),
                arguments: [position, limit]
            ).map(Self.journalEntry)
        }
    }

    package func outcomes(after place: EpochPosition, limit: Int) async throws -> [RecordedOutcome] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(sql: Self.outcomesAfterPlace), arguments: [place.epoch, place.position, limit]
            ).compactMap { try Self.outcome($0).outcome }
        }
    }

    package func outcomes(after position: Int64, through last: Int64, limit: Int) async throws -> JournalOutcomes {
        try await read { db in
            let rows = try Row.fetchAll(
                db.cachedStatement(sql: Self.outcomesBetween), arguments: [position, last, limit]
            ).map(Self.outcome)
            return JournalOutcomes(outcomes: rows.compactMap(\.outcome), through: rows.last?.position ?? last)
        }
    }

    /// - Parameter row: a row of `journalWithIDs`.
    private static func outcome(_ row: Row) throws -> (position: Int64, outcome: RecordedOutcome?) {
        var ids = try MessageIDs(row)
        if let order: String = try row.value("placed_id") { ids.order = Identifier(order) }
        let entry = try journalEntry(row)
        return (entry.position, entry.recordedOutcome(ids: ids))
    }

    /// The rows of the journal with the ids that an outcome contains in addition to its key.
    private static let journalWithIDs = """
        SELECT journal.*, \(Schema.orderIDOfJournal) AS placed_id, \(Schema.idColumns) FROM journal
        LEFT JOIN dead_letters ON journal.kind = 'dead_letter' AND dead_letters.id = journal.number
        """

    private static let outcomesBetween = """
        \(journalWithIDs) WHERE journal.position > ? AND journal.position <= ? ORDER BY journal.position LIMIT ?
        """

    /// Epochs never decrease along the journal, so the rows of later epochs begin where the first of these was opened.
    /// That is before the given position only if a backup has replaced the ledger since.
    private static let outcomesAfterPlace = """
        \(journalWithIDs)
        WHERE journal.position > min(
            ?2, coalesce((SELECT position FROM epochs WHERE epoch > ?1 ORDER BY epoch LIMIT 1), ?2)
        ) AND (journal.epoch > ?1 OR journal.epoch = ?1 AND journal.position > ?2) AND journal.kind != 'catalogue'
        ORDER BY journal.position LIMIT ?3
        """

    static func journalEntry(_ row: Row) throws -> JournalEntry {
        guard let kind = JournalKind(rawValue: try row.value("kind")) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row of an unknown kind in the journal")
        }
        return try JournalEntry(
            position: row.value("position"), kind: kind, key: Identifier(row.value("key")),
            digest: row.optionalBytes(named: "digest") ?? [], outcome: row.value("outcome"),
            reason: row.value("reason"), seq: row.value("seq"), epoch: row.value("epoch"),
            units: row.value("units"), decidedAt: row.value("decided_at"), entryID: row.value("entry_id"),
            number: row.value("number"), by: row.value("by"))
    }
}
