import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    /// All columns except the bytes of the content; for the type, only its first bytes.
    static let deadLetterColumns = """
        id, entry_id, substr(type, 1, 64) AS type, reason, detail, bytes, is_whole, \(Schema.idColumns), received_at,
        status, resolved_at, fingerprint
        """

    package func deadLetters(
        reason: String?, status: DeadLetterStatus? = nil, limit: Int, after: String?
    ) async throws -> Page<RecordedDeadLetter> {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Self.deadLetterColumns) FROM dead_letters
                    WHERE (?1 IS NULL OR reason = ?1) AND (?2 IS NULL OR id < ?2) AND (?4 IS NULL OR status = ?4)
                    ORDER BY id DESC LIMIT ?3
                    """,
                arguments: [reason, request.cursor, request.rows, status?.rawValue])
            return try request.page(rows, by: "id", Self.deadLetter)
        }
    }

    package func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM dead_letters WHERE id = ?", arguments: [number])
                .map(Self.deadLetter)
        }
    }

    package func deadLetter(ofEntry entry: String) async throws -> RecordedDeadLetter? {
        try await read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT \(Self.deadLetterColumns)
                    FROM dead_letters WHERE entry_id = ? ORDER BY id DESC
                    """, arguments: [entry]
            ).map(Self.deadLetter)
        }
    }

    package func requestedReplays(limit: Int) async throws -> [RequestedReplay] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT id, fingerprint FROM dead_letters WHERE status = 'replay' ORDER BY id LIMIT ?"),
                arguments: [limit]
            ).map { RequestedReplay(number: try $0.value(0), fingerprint: try $0.bytes(1)) }
        }
    }

    static func deadLetter(_ row: Row) throws -> RecordedDeadLetter {
        func bytes(_ column: String) throws -> [UInt8]? {
            try row.hasColumn(column) ? row.optionalBytes(named: column) : nil
        }
        return try RecordedDeadLetter(
            number: row.value("id"), entryID: row.value("entry_id"), reason: row.value("reason"),
            detail: row.value("detail"),
            type: bytes("type"), payload: bytes("payload"), fields: bytes("fields"), bytes: row.value("bytes"),
            isWhole: row.value("is_whole"), payloadDigest: bytes("payload_digest"), ids: MessageIDs(row),
            receivedAt: row.value("received_at"),
            status: DeadLetterStatus(rawValue: row.value("status")) ?? .open,
            resolvedAt: row.value("resolved_at"), fingerprint: row.optionalBytes(named: "fingerprint") ?? [])
    }
}

extension Schema {
    /// The columns of the ids that could be read from a dead letter: one per kind.
    static let idColumns = Command.Kind.allCases.map(\.idField).joined(separator: ", ")
}

extension MessageIDs {
    /// - Parameter row: a row that contains `Schema.idColumns`.
    init(_ row: Row) throws {
        self.init()
        for kind in Command.Kind.allCases {
            self[kind] = try (row.value(kind.idField) as String?).map { Identifier($0) }
        }
    }
}
