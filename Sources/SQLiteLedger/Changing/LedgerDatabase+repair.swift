import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func raiseEpoch(
        toRepair repairs: [Repair], foundIn epoch: Int64?, reason: String, by: String?
    ) async throws -> (repairs: [Repair], epoch: Int64)? {
        // A recount takes time, during which nothing is recorded, so it is repeated in the transaction only if
        // something is wrong.
        let isMiscounted = try await !recount().isEmpty
        return try await write { db in
            if let epoch, try LedgerHead.read(db).epoch != epoch { return nil }
            let head = try Self.nextEpoch(db, reason: reason)
            if let by { try Self.note(.repair, String(head.epoch), by: by, at: Timestamp.now(), db) }
            let miscounts = isMiscounted ? try Self.setRight(db) : []
            let counted = Dictionary(
                miscounts.filter { $0.column == .sold }.map { ($0.counter, $0.counted) }, uniquingKeysWith: { $1 })
            let others = repairs.compactMap { repair -> Repair? in
                guard let level = repair.level, let units = counted[CounterName(level, Identifier(repair.id))]
                else { return repair }
                // The counter was correct, and the ledger was wrong.
                if repair.found == units, repair.detail.isEmpty { return nil }
                var repair = repair
                repair.expected = units
                return repair
            }
            let all = miscounts.map(Repair.init) + others
            try Self.keep(all, epoch: head.epoch, reason: reason, db)
            return (all, head.epoch)
        }
    }

    package func recount() async throws -> [Miscount] {
        try await read(Self.miscounts)
    }

    package func repairMiscounts(reason: String) async throws -> [Miscount] {
        try await write { db in
            let miscounts = try Self.setRight(db)
            if miscounts.isEmpty { return [] }
            let head = try Self.nextEpoch(db, reason: reason)
            try Self.keep(miscounts.map(Repair.init), epoch: head.epoch, reason: reason, db)
            return miscounts
        }
    }

    private static func setRight(_ db: Database) throws -> [Miscount] {
        let miscounts = try miscounts(db)
        for miscount in miscounts {
            try db.execute(
                sql: "UPDATE \(miscount.counter.level.counterTable) SET \(miscount.column.rawValue) = ? WHERE id = ?",
                arguments: [miscount.counted, miscount.counter.id.text])
        }
        return miscounts
    }

    /// Returns repairs, latest first.
    package func repairs(limit: Int, after: String?) async throws -> Page<RecordedRepair> {
        try await read { db in
            try PageRequest(limit: limit, after: after).page(of: "repairs", by: "id", db) { row in
                try RecordedRepair(
                    number: row.value("id"),
                    repair: Repair(
                        place: Repair.Place(rawValue: row.value("place")) ?? .counters,
                        level: (row.value("level") as String?).flatMap(CapLevel.init(rawValue:)),
                        id: row.value("counter_id"),
                        found: row.value("found"), expected: row.value("expected"), detail: row.value("detail")),
                    epoch: row.value("epoch"), reason: row.value("reason"), repairedAt: row.value("repaired_at"))
            }
        }
    }

    package func changes(
        of counter: CounterName, above lowest: Int64, upTo highest: Int64
    ) async throws -> [RecordedChange] {
        try await read { db in
            let rows = try Row.fetchAll(
                db.cachedStatement(sql: Self.changesOf(counter.level)),
                arguments: [lowest, highest, counter.id.text])
            return try rows.map { row in
                guard let kind = RecordedChange.Kind(rawValue: try row.value(1)) else {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a change of an unknown kind")
                }
                return try RecordedChange(
                    seq: row.value(0), kind: kind,
                    id: Identifier(row.value(2)),
                    units: row.value(3))
            }
        }
    }

    private static func keep(_ repairs: [Repair], epoch: Int64, reason: String, _ db: Database) throws {
        let statement = try db.makeStatement(
            sql: """
                INSERT INTO repairs (epoch, place, level, counter_id, found, expected, detail, reason, repaired_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for repair in repairs {
            try statement.execute(arguments: [
                epoch, repair.place.rawValue, repair.level?.rawValue, repair.id, repair.found, repair.expected,
                repair.detail, reason, Timestamp.now(),
            ])
        }
    }
}
