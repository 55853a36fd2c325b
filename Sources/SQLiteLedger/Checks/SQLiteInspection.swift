import Concurrency
import GRDB
import Domain
import Ledger
import Files

/// Reads a ledger to find damaged pages, slice by slice, on a separate connection.
///
/// Each slice is a read transaction of some milliseconds: a transaction that reads everything would keep the log from
/// restarting for as long. Large tables are read from their newest rows downwards, and each row is looked up in every
/// index of its table. All other tables are read completely, by SQLite's own check. Errors:
/// `SQLiteLedgerError.damaged`.
struct SQLiteInspection: LedgerInspection {
    private enum Step {
        case table(String)
        /// Rows with keys up to `last`.
        case rows(SlicedTable, last: Int64)
        /// The rows of a partial index, which are few.
        case partialIndex(String, table: String, condition: String)
    }

    /// The size up to which the whole ledger is read at the start, because it takes less than a second.
    private static let smallBytes: Int64 = 64 << 20
    /// Tables that span at least this many keys are read in slices.
    private static let rowsAtOnce: Int64 = 20_000
    /// The target duration of a slice, and the range within which its number of keys adapts.
    private static let sliceTime = Duration.milliseconds(20)
    private static let keys: ClosedRange<Int64> = 50...50_000

    private let path: String
    private let queue: DatabaseQueue
    private var steps: [Step]
    private var sliceKeys: Int64 = 1_000

    /// Errors: `SQLiteLedgerError`; also `damaged` if the tables cannot be listed.
    static func begin(at path: String) async throws -> SQLiteInspection {
        try await begin(at: path, rowsAtOnce: rowsAtOnce)
    }

    static func begin(at path: String, rowsAtOnce: Int64) async throws -> SQLiteInspection {
        try await offCooperativeThreads {
            do {
                let queue = try SQLiteFile.open(path, LedgerDatabase.readerConfiguration)
                let found = try queue.read { db in try Self.steps(db, rowsAtOnce: rowsAtOnce) }
                return SQLiteInspection(path: path, queue: queue, steps: found)
            } catch {
                throw damage(error, path)
            }
        }
    }

    private init(path: String, queue: DatabaseQueue, steps: [Step]) {
        self.path = path
        self.queue = queue
        self.steps = steps
    }

    func close() { try? queue.close() }

    var isDone: Bool { steps.isEmpty }

    /// Whether reading the whole ledger takes less than a second.
    var isSmall: Bool {
        LedgerFile.size(of: path) + LedgerFile.logSize(ofLedger: path) <= Self.smallBytes
    }

    /// Reads the parts that recording uses: the head, the counters, and the newest rows with their index entries.
    func readHotParts() async throws {
        let hot = Set(["ledger", "attempts"] + CapLevel.allCases.map(\.counterTable))
        for step in steps {
            switch step {
            case .table(let name) where hot.contains(name): try await read(step)
            case .rows: try await read(step)
            default: break
            }
        }
    }

    /// Reads the next slice.
    mutating func readNext() async throws {
        guard let step = steps.last else { return }
        let start = ContinuousClock.now
        let next = try await read(step)
        if case .rows(let table, _) = step, let next {
            steps[steps.count - 1] = .rows(table, last: next)
        } else {
            steps.removeLast()
        }
        let time = ContinuousClock.now - start
        if time > Self.sliceTime * 2 { sliceKeys = max(sliceKeys / 2, Self.keys.lowerBound) }
        if time < Self.sliceTime { sliceKeys = min(sliceKeys * 2, Self.keys.upperBound) }
    }

    /// Reads everything in one transaction, including what the slices omit: the list of free pages, and dangling index
    /// entries.
    func readWhole() async throws {
        let path = path
        do {
            let first = try await queue.writeWithoutTransaction { db in
                try LedgerDatabase.rollingBack(db) { db in
                    try LedgerDatabase.findings(db, "PRAGMA integrity_check(1)").first
                }
            }
            if let first { throw SQLiteLedgerError.damaged(path: path, action: "checking", reason: first) }
        } catch {
            throw Self.damage(error, path)
        }
    }

    /// Returns an error about damage if `error` reports damage, or the wrapped error otherwise. A file that was a
    /// database when it was opened, but no longer is, is damaged.
    private static func damage(_ error: any Error, _ path: String) -> any Error {
        if let reason = SQLiteLedgerError.damage(error) {
            return SQLiteLedgerError.damaged(path: path, action: "checking", reason: reason)
        }
        return SQLiteLedgerError.wrapping(error, path: path, action: "checking")
    }

    /// - Returns: for `rows`, the highest remaining key.
    @discardableResult
    private func read(_ step: Step) async throws -> Int64? {
        let (path, keys) = (path, sliceKeys)
        do {
            return try await queue.read { db -> Int64? in
                switch step {
                case .table(let name):
                    let findings = try LedgerDatabase.findings(
                        db, "PRAGMA quick_check(\(name.quotedDatabaseIdentifier))")
                    if let first = findings.first {
                        throw SQLiteLedgerError.damaged(
                            path: path, action: "checking", reason: "table \(name): \(first)")
                    }
                case .rows(let table, let last):
                    let (low, overflows) = last.subtractingReportingOverflow(keys)
                    try table.read(db, above: overflows ? .min : low, upTo: last, path: path)
                    // There may be large gaps between keys.
                    return overflows ? nil : try table.highestKey(db, upTo: low)
                case .partialIndex(let name, let table, let condition):
                    _ = try Int.fetchOne(
                        db,
                        sql: """
                            SELECT count(*) FROM \(table.quotedDatabaseIdentifier)
                            INDEXED BY \(name.quotedDatabaseIdentifier) WHERE \(condition)
                            """)
                }
                return nil
            }
        } catch {
            throw Self.damage(error, path)
        }
    }

    // MARK: - Steps

    /// Returns the steps in reverse order of execution.
    private static func steps(_ db: Database, rowsAtOnce: Int64) throws -> [Step] {
        let tables = try Row.fetchAll(
            db,
            sql: "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name DESC")
        return try tables.flatMap { row -> [Step] in
            let name: String = try row.value(0)
            if name.hasPrefix("sqlite_") { return [] }
            let table = "\(name.quotedDatabaseIdentifier) NOT INDEXED"
            guard let sliced = try SlicedTable(name, hasRowID: !(row.value(1) as Bool), db),
                let ends = try Row.fetchOne(
                    db,
                    // If both are selected in one query, SQLite reads the whole table.
                    sql: """
                        SELECT (SELECT min(\(sliced.key)) FROM \(table)), (SELECT max(\(sliced.key)) FROM \(table))
                        """),
                let first = try ends.value(0) as Int64?, let last = try ends.value(1) as Int64?,
                last.subtractingReportingOverflow(first).overflow || last - first >= rowsAtOnce
            else { return [.table(name)] }
            return try partialIndexes(of: name, db) + [.rows(sliced, last: last)]
        }
    }

    private static func partialIndexes(of table: String, _ db: Database) throws -> [Step] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT list.name, item.sql FROM pragma_index_list(?) AS list JOIN sqlite_schema AS item ON item.name = list.name
                WHERE list.partial
                """,
            arguments: [table])
        return try rows.compactMap { row in
            let sql: String = try row.value(1)
            // The condition of an index is only available in "CREATE INDEX … WHERE condition", and SQLite uses the
            // index only for a query with that condition.
            return try sql.firstRange(of: "WHERE").map {
                .partialIndex(try row.value(0), table: table, condition: String(sql[$0.upperBound...]))
            }
        }
    }
}

/// A table that is read by ranges of an integer key: its rowid, or the first column of its primary key.
private struct SlicedTable: Sendable {
    let name: String
    let key: String
    private let columns: [String]
    /// The indexes that contain all rows, with their columns.
    private let indexes: [(name: String, columns: [String])]

    /// Returns `nil` if the table has no integer key.
    init?(_ name: String, hasRowID: Bool, _ db: Database) throws {
        let columns = try Row.fetchAll(db, sql: "SELECT name, type, pk FROM pragma_table_info(?)", arguments: [name])
        self.name = name
        self.columns = try columns.map { try ($0.value(0) as String).quotedDatabaseIdentifier }
        if hasRowID {
            key = "rowid"
        } else {
            guard let first = try columns.first(where: { try $0.value(2) as Int == 1 }),
                try first.value(1) as String == "INTEGER"
            else {
                return nil
            }
            key = try (first.value(0) as String).quotedDatabaseIdentifier
        }
        let names = try String.fetchAll(
            db, sql: "SELECT name FROM pragma_index_list(?) WHERE NOT partial AND (? OR origin != 'pk')",
            arguments: [name, hasRowID])
        indexes = try names.compactMap { index in
            let columns = try Optional<String>.fetchAll(
                db, sql: "SELECT name FROM pragma_index_info(?) ORDER BY seqno", arguments: [index])
            // `nil` stands for an expression; no index contains one.
            if columns.contains(nil) { return nil }
            return (index, columns.compactMap { $0?.quotedDatabaseIdentifier })
        }
    }

    func highestKey(_ db: Database, upTo key: Int64) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT max(\(self.key)) FROM \(name.quotedDatabaseIdentifier) NOT INDEXED WHERE \(self.key) <= ?"),
            arguments: [key])
    }

    func read(_ db: Database, above low: Int64, upTo high: Int64, path: String) throws {
        let table = name.quotedDatabaseIdentifier
        // The comparison makes SQLite read each value completely.
        let values = columns.map { "(\($0) IS x'00')" }.joined(separator: " + ")
        _ = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT count(*), sum(\(values)) FROM \(table) NOT INDEXED WHERE \(key) > ? AND \(key) <= ?"),
            arguments: [low, high])
        for index in indexes {
            let same = (index.columns + [key]).map { "other.\($0) IS own.\($0)" }.joined(separator: " AND ")
            let missing = try Int.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT count(*) FROM \(table) AS own NOT INDEXED WHERE own.\(key) > ? AND own.\(key) <= ?
                        AND NOT EXISTS (SELECT 1 FROM \(table) AS other
                            INDEXED BY \(index.name.quotedDatabaseIdentifier) WHERE \(same))
                        """),
                arguments: [low, high])
            if let missing, missing > 0 {
                throw SQLiteLedgerError.damaged(
                    path: path, action: "checking", reason: "\(missing) rows are missing from index \(index.name)")
            }
        }
    }
}
