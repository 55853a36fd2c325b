import GRDB

/// A statement that takes a table of values, `VALUES (?, …), …`, and runs for several rows at a time.
///
/// If it ran for each row separately, SQLite would open and close the tables and indexes each time, which took a
/// quarter of SQLite's time (docs/performance.md). Make it a constant: its SQL for each number of rows is then built
/// only once. For a batch of a few orders, building it would take as long as running it.
struct MultiRowStatement: Sendable {
    private static let rowsAtATime = 16

    /// The SQL for one row, for two rows, and so on.
    private let sql: [String]

    /// - Parameters:
    ///   - columns: the number of values per row.
    ///   - sql: returns the statement, given its table of values.
    init(columns: Int, _ sql: (_ values: String) -> String) {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        self.sql = (1...Self.rowsAtATime).map { rows in
            sql("VALUES " + Array(repeating: row, count: rows).joined(separator: ", "))
        }
    }

    /// Inserts rows. An error rolls back the whole transaction, so `OR FAIL` spares SQLite the bookkeeping for undoing
    /// a single statement.
    init(inserting columns: [String], into table: String) {
        let names = columns.joined(separator: ", ")
        self.init(columns: columns.count) { "INSERT OR FAIL INTO \(table) (\(names)) \($0)" }
    }

    /// Runs the statement for all of `rows`.
    /// - Parameters:
    ///   - memory: holds the values of one run.
    ///   - bind: binds all values of one row, including NULL.
    ///   - body: called with each row of the statement's result, which must not escape.
    func run<Rows: RandomAccessCollection>(
        _ rows: Rows, in db: Database, _ memory: BindArena, bind: (inout RawStatement, Rows.Element) -> Void,
        _ body: (RawRow) -> Void = { _ in }
    ) throws {
        var rest = rows[...]
        while !rest.isEmpty {
            let size = min(rest.count, sql.count)
            var statement = try RawStatement(sql[size - 1], db, memory)
            while rest.count >= size, !rest.isEmpty {
                for row in rest.prefix(size) { bind(&statement, row) }
                try statement.forEachRow(body)
                rest = rest.dropFirst(size)
            }
        }
    }
}
