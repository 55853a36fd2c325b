import GRDB

/// A statement that takes a table of values, `VALUES (?, …), …`, and is run for some rows of it at a time.
///
/// Run for each row alone, SQLite opens and closes the tables and indexes anew each time: a fourth of what recording an
/// order takes (docs/performance.md).
struct RowsStatement {
    private static let rowsAtATime = 16

    private let columns: Int
    private let sql: (_ values: String) -> String
    private let db: Database
    private let texts: TextRoom

    /// - Parameters:
    ///   - columns: values a row.
    ///   - sql: the statement, given its table of values.
    init(_ db: Database, _ texts: TextRoom, columns: Int, _ sql: @escaping (_ values: String) -> String) {
        self.db = db
        self.texts = texts
        self.columns = columns
        self.sql = sql
    }

    /// Runs the statement for all of `rows`.
    /// - Parameters:
    ///   - count: how many rows there are.
    ///   - bind: binds one row's values, all of them, NULL as well.
    ///   - body: is given each row of the statement's result, which it must not keep.
    func run<Row>(
        _ rows: some Sequence<Row>, count: Int, bind: (inout DirectStatement, Row) -> Void,
        _ body: (DirectRow) -> Void = { _ in }
    ) throws {
        var (rows, left) = (rows.makeIterator(), count)
        while left > 0 {
            let size = min(left, Self.rowsAtATime)
            var statement = try statement(rows: size)
            repeat {
                for _ in 0..<size { if let row = rows.next() { bind(&statement, row) } }
                try statement.forEachRow(body)
                left -= size
            } while left >= size
        }
    }

    private func statement(rows: Int) throws -> DirectStatement {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        let values = "VALUES " + Array(repeating: row, count: rows).joined(separator: ", ")
        return try DirectStatement(sql(values), db, texts)
    }
}
