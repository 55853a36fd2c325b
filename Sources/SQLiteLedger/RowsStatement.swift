import GRDB

/// A statement that takes a table of values, `VALUES (?, …), …`, and runs for several rows at a time.
///
/// When it runs for each row alone, SQLite opens and closes the tables and indexes again each time: a quarter of its
/// time (docs/performance.md).
struct RowsStatement {
    private static let rowsAtATime = 16

    private let columns: Int
    private let sql: (_ values: String) -> String
    private let db: Database
    private let texts: TextRoom

    /// - Parameters:
    ///   - columns: values per row.
    ///   - sql: the statement, given its table of values.
    init(_ db: Database, _ texts: TextRoom, columns: Int, _ sql: @escaping (_ values: String) -> String) {
        self.db = db
        self.texts = texts
        self.columns = columns
        self.sql = sql
    }

    /// Inserts rows. A failure ends the transaction (`OR FAIL`), so that SQLite need not keep anything to undo one
    /// statement alone.
    init(_ db: Database, _ texts: TextRoom, inserting columns: [String], into table: String) {
        let names = columns.joined(separator: ", ")
        self.init(db, texts, columns: columns.count) { "INSERT OR FAIL INTO \(table) (\(names)) \($0)" }
    }

    /// Runs the statement for all of `rows`.
    /// - Parameters:
    ///   - bind: binds one row's values, all of them, NULL as well.
    ///   - body: called with each row of the statement's result, which it must not keep.
    func run<Rows: RandomAccessCollection>(
        _ rows: Rows, bind: (inout DirectStatement, Rows.Element) -> Void, _ body: (DirectRow) -> Void = { _ in }
    ) throws {
        var rest = rows[...]
        while !rest.isEmpty {
            let size = min(rest.count, Self.rowsAtATime)
            var statement = try statement(rows: size)
            while rest.count >= size, !rest.isEmpty {
                for row in rest.prefix(size) { bind(&statement, row) }
                try statement.forEachRow(body)
                rest = rest.dropFirst(size)
            }
        }
    }

    private func statement(rows: Int) throws -> DirectStatement {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        let values = "VALUES " + Array(repeating: row, count: rows).joined(separator: ", ")
        return try DirectStatement(sql(values), db, texts)
    }
}
