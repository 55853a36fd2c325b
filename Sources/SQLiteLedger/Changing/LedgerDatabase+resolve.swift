import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func replay(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult {
        let now = Timestamp.now()
        return try await resolve(choice, to: .replay, from: [.open], needsContent: true) { db, number in
            try Self.note(.replayDeadLetter, String(number), by: by, at: now, db)
            try db.cachedStatement(sql: "UPDATE dead_letters SET status = 'replay' WHERE id = ?")
                .execute(arguments: [number])
        }
    }

    package func discard(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult {
        let now = Timestamp.now()
        return try await resolve(choice, to: .discarded, from: [.open, .replayed]) { db, number in
            try Self.note(.discardDeadLetter, String(number), by: by, at: now, db)
            try Self.requestCheckpoint(db)
            try Self.removeBytes(ofDeadLetter: number, now: now, db)
        }
    }

    package func count(_ choice: DeadLetterChoice) async throws -> Int {
        try await read { db in try Self.chosen(choice, db).count }
    }

    static func removeBytes(ofDeadLetter number: Int64, now: String, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE dead_letters SET type = NULL, payload = NULL, fields = NULL, status = 'discarded', resolved_at = ?
                WHERE id = ?
                """
        ).execute(arguments: [now, number])
    }

    private typealias Chosen = (number: Int64, status: DeadLetterStatus, isWhole: Bool)

    private static func chosen(_ choice: DeadLetterChoice, _ db: Database) throws -> [Chosen] {
        func found(_ row: Row) throws -> Chosen {
            (try row.value(0), DeadLetterStatus(rawValue: try row.value(1)) ?? .open, try row.value(2))
        }
        let columns = "SELECT id, status, is_whole FROM dead_letters WHERE"
        switch choice {
        case .reason(let reason):
            return try Row.fetchAll(
                db, sql: "\(columns) reason = ? AND status = 'open' ORDER BY id", arguments: [reason]
            ).map(found)
        case .numbers(let numbers):
            let statement = try db.cachedStatement(sql: "\(columns) id = ?")
            return try numbers.uniqued.compactMap { try Row.fetchOne(statement, arguments: [$0]).map(found) }
        }
    }

    /// Checks all chosen dead letters, then changes those whose status is not already `wanted`, in one transaction.
    private func resolve(
        _ choice: DeadLetterChoice, to wanted: DeadLetterStatus, from allowed: Set<DeadLetterStatus>,
        needsContent: Bool = false,
        _ change: @escaping @Sendable (Database, Int64) throws -> Void
    ) async throws -> ResolveResult {
        try await write { db in
            let letters = try Self.chosen(choice, db)
            if case .numbers(let numbers) = choice {
                let known = Set(letters.map(\.number))
                let unknown = numbers.uniqued.filter { !known.contains($0) }
                if !unknown.isEmpty { return .unknown(unknown) }
            }
            let refused = letters.filter { $0.status != wanted && !allowed.contains($0.status) }
            if !refused.isEmpty { return .refused(refused.map { ($0.number, $0.status) }) }
            let incomplete = letters.filter { needsContent && !$0.isWhole }
            if !incomplete.isEmpty { return .incomplete(incomplete.map(\.number)) }
            let changed = letters.filter { $0.status != wanted }
            for letter in changed { try change(db, letter.number) }
            return .done(changed: changed.count, already: letters.count - changed.count)
        }
    }
}
