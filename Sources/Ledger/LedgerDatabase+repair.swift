import GRDB
import Inventory

/// A difference that was found, and is corrected.
package struct Repair: Sendable, Equatable {
    package enum Place: String, Sendable {
        /// The counters in Redis, which are set to the ledger's figures.
        case counters
        /// A quantity of the ledger, which is set to the sum of what is recorded.
        case ledger
    }

    package var place: Place
    /// nil: a field of the counters that belongs to no product or variant.
    package var level: Level?
    /// The product's or variant's id, or the field's name.
    package var id: String
    /// Units; nil if there were none.
    package var found: Int64?
    package var expected: Int64?
    /// What differed, if it is not the number of units.
    package var detail: String

    package init(place: Place, level: Level?, id: String, found: Int64?, expected: Int64?, detail: String) {
        self.place = place
        self.level = level
        self.id = id
        self.found = found
        self.expected = expected
        self.detail = detail
    }
}

/// A repair as the ledger keeps it.
package struct RecordedRepair: Sendable {
    package var number: Int64
    package var repair: Repair
    /// The epoch by which it was requested; the next installed epoch contains it.
    package var epoch: Int64
    package var reason: String
    package var repairedAt: String
}

/// A change of a counter that may explain a difference.
package struct RecordedChange: Sendable, Equatable {
    package enum Kind: String, Sendable { case order, cancellation, adjustment }

    package var seq: Int64
    package var kind: Kind
    package var id: Identifier
    /// Units it added.
    package var units: Int64

    package init(seq: Int64, kind: Kind, id: Identifier, units: Int64) {
        self.seq = seq
        self.kind = kind
        self.id = id
        self.units = units
    }
}

extension LedgerDatabase {
    /// Requests a new epoch, which installs the counters again, and records what it repairs. An active consumer notices
    /// in its next transaction, or within a second.
    ///
    /// The counters follow the ledger, so its own quantities must be correct: if they are not, they are counted again
    /// in the same transaction.
    /// - Parameters:
    ///   - repairs: those of the counters, from a comparison with the ledger as it is.
    ///   - epoch: the epoch in which they were compared; nil: any.
    ///   - reason: kept with the epoch and the repairs.
    /// - Returns: what is repaired, and the requested epoch (the installed one is higher); nil if the ledger is at
    ///   another epoch by now, in which nothing has been compared.
    package func raiseEpoch(
        toRepair repairs: [Repair], foundIn epoch: Int64?, reason: String
    ) async throws -> (repairs: [Repair], epoch: Int64)? {
        // Counting takes time, during which nothing is recorded: so it is done only if something is wrong.
        let isMiscounted = try await !recount().isEmpty
        return try await write { db in
            if let epoch, try LedgerHead.read(db).epoch != epoch { return nil }
            let head = try Self.nextEpoch(db, reason: reason)
            let miscounts = isMiscounted ? try Self.setRight(db) : []
            let counted = Dictionary(
                miscounts.filter { $0.column == .sold }.map { ($0.counter, $0.counted) }, uniquingKeysWith: { $1 })
            let others = repairs.compactMap { repair -> Repair? in
                guard let level = repair.level, let units = counted[CounterName(level, Identifier(repair.id))]
                else { return repair }
                // The counter was correct, and the ledger wrong.
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

    /// Counts sold and adjusted quantities again from what is recorded, without changing anything.
    package func recount() async throws -> [Miscount] {
        try await read(Self.miscounts)
    }

    /// Counts them again and corrects what differs. Raises the epoch as well: what was decided by the old figures is
    /// decided again.
    /// - Returns: what was corrected.
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

    /// Repairs, latest first.
    package func repairs(limit: Int, after: String?) async throws -> Page<RecordedRepair> {
        try await read { db in
            let request = PageRequest(limit: limit, after: after)
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM repairs WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2",
                arguments: [request.cursor, request.rows])
            return try request.page(rows, by: "id") { row in
                try RecordedRepair(
                    number: row.value("id"),
                    repair: Repair(
                        place: Repair.Place(rawValue: row.value("place")) ?? .counters,
                        level: (row.value("level") as String?).flatMap(Level.init(rawValue:)),
                        id: row.value("counter_id"),
                        found: row.value("found"), expected: row.value("expected"), detail: row.value("detail")),
                    epoch: row.value("epoch"), reason: row.value("reason"), repairedAt: row.value("repaired_at"))
            }
        }
    }

    /// Changes of a counter, latest first, that have a seq above `lowest` and up to `highest`.
    package func changes(
        of counter: CounterName, above lowest: Int64, upTo highest: Int64
    ) async throws -> [RecordedChange] {
        try await read { db in
            let column = counter.level == .product ? "product_id" : "variant_id"
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT seq, kind, id, sum(units) FROM (\(Self.changes))
                    WHERE seq > ? AND seq <= ? AND \(column) = ? GROUP BY seq ORDER BY seq DESC
                    """,
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

extension Repair {
    package init(_ miscount: Miscount) {
        self.init(
            place: .ledger, level: miscount.counter.level, id: miscount.counter.id.text, found: miscount.recorded,
            expected: miscount.counted, detail: miscount.column.rawValue)
    }
}
