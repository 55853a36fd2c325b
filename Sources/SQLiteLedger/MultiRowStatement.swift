import GRDB

/// A statement that takes a table of values, `VALUES (?, …), …`, and runs for several rows at a time.
///
/// When it runs for each row alone, SQLite opens and closes the tables and indexes again each time: a quarter of its
/// time (docs/performance.md). A constant, as its text for each number of rows is made once: for a batch of a few orders
/// that would take as long as running it.
struct MultiRowStatement: Sendable {
    private static let rowsAtATime = 16

    /// For one row, for two, and so on.
    private let sql: [String]

    /// - Parameters:
    ///   - columns: values per row.
    ///   - sql: the statement, given its table of values.
    init(columns: Int, _ sql: (_ values: String) -> String) {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        self.sql = (1...Self.rowsAtATime).map { rows in
            sql("VALUES " + Array(repeating: row, count: rows).joined(separator: ", "))
        }
    }

    /// Inserts rows. A failure ends the transaction (`OR FAIL`), so that SQLite need not keep anything to undo one
    /// statement alone.
    init(inserting columns: [String], into table: String) {
        let names = columns.joined(separator: ", ")
        self.init(columns: columns.count) { "INSERT OR FAIL INTO \(table) (\(names)) \($0)" }
    }

    /// Runs the statement for all of `rows`.
    /// - Parameters:
    ///   - memory: of the values of one run.
    ///   - bind: binds one row's values, all of them, NULL as well.
    ///   - body: called with each row of the statement's result, which it must not keep.
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
