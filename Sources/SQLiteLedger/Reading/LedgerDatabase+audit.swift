import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func audit(limit: Int, after: String?) async throws -> Page<AuditEntry> {
        try await read { db in
            try PageRequest(limit: limit, after: after).page(of: "audit", by: "id", db, Self.auditEntry)
        }
    }

    static func auditEntry(_ row: Row) throws -> AuditEntry {
        guard let action = AuditEntry.Action(rawValue: try row.value("action")) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an unknown action in the audit")
        }
        return try AuditEntry(
            number: row.value("id"), action: action, subject: row.value("subject"), by: row.value("by"),
            doneAt: row.value("done_at"))
    }

    package func note(_ action: AuditEntry.Action, of subject: String, by: String?) async throws {
        try await write { db in try Self.note(action, subject, by: by, at: Timestamp.now(), db) }
    }

    /// Records an action in the audit. Must run in the transaction of the action itself.
    static func note(_ action: AuditEntry.Action, _ subject: String, by: String?, at now: String, _ db: Database) throws
    {
        try db.cachedStatement(sql: #"INSERT INTO audit (action, subject, "by", done_at) VALUES (?, ?, ?, ?)"#)
            .execute(arguments: [action.rawValue, subject, by, now])
    }
}
