import GRDB
import Inventory

/// A dead letter as the ledger holds it.
package struct RecordedDeadLetter: Sendable {
    package var number: Int64
    package var entryID: String
    package var reason: String
    package var detail: String
    package var type: [UInt8]?
    package var payload: [UInt8]?
    package var fields: [UInt8]?
    /// Bytes of the entry's names and values, as it was read.
    package var bytes: Int64
    /// Whether all of the entry was kept; its content may have been removed since.
    package var isWhole: Bool
    /// SHA-256 of the whole payload, if only its head was kept.
    package var payloadDigest: [UInt8]?
    /// The ids that could be read from it.
    package var orderID: String?
    package var cancellationID: String?
    package var adjustmentID: String?
    package var receivedAt: String
    package var status: DeadLetterStatus
    /// When it was replayed or discarded.
    package var resolvedAt: String?
    package var fingerprint: [UInt8]
}

/// A dead letter that must be published again.
package struct WantedReplay: Sendable {
    package var number: Int64
    package var fingerprint: [UInt8]
}

/// The status of a dead letter. The raw values are public.
package enum DeadLetterStatus: String, Sendable, CaseIterable {
    case open
    /// The consumer must publish it again.
    case replay
    /// It was published again, read, and recorded with whatever outcome.
    case replayed
    /// Its bytes are removed.
    case discarded
}

extension LedgerDatabase {
    /// All columns but the bytes of the content; of the type, the first bytes.
    static let deadLetterColumns = """
        id, entry_id, substr(type, 1, 64) AS type, reason, detail, bytes, is_whole, order_id, cancellation_id,
        adjustment_id, received_at, status, resolved_at, fingerprint
        """

    /// Dead letters, latest first, without the bytes of their content.
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

    /// One dead letter with its bytes, or nil.
    package func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM dead_letters WHERE id = ?", arguments: [number])
                .map(Self.deadLetter)
        }
    }

    /// The dead letter that an entry of the stream became, without its bytes, or nil.
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

    /// Dead letters that must be published again, oldest first.
    package func replaysWanted(limit: Int) async throws -> [WantedReplay] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT id, fingerprint FROM dead_letters WHERE status = 'replay' ORDER BY id LIMIT ?"),
                arguments: [limit]
            ).map { WantedReplay(number: try $0.value(0), fingerprint: try $0.bytes(1)) }
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
            isWhole: row.value("is_whole"), payloadDigest: bytes("payload_digest"), orderID: row.value("order_id"),
            cancellationID: row.value("cancellation_id"), adjustmentID: row.value("adjustment_id"),
            receivedAt: row.value("received_at"),
            status: DeadLetterStatus(rawValue: row.value("status")) ?? .open,
            resolvedAt: row.value("resolved_at"), fingerprint: row.optionalBytes(named: "fingerprint") ?? [])
    }
}
