import GRDB
import Ledger

/// The page of a list to read: keyset pagination, latest first, by a unique integer column.
struct PageRequest {
    let limit: Int
    /// Selects elements before this one; `nil` selects the first page.
    let cursor: Int64?

    /// - Parameter after: the `next` of the previous page.
    init(limit: Int, after: String?) {
        self.limit = limit
        cursor = after.flatMap { Int64($0) }
    }

    /// One more than the page size, which shows whether there is a next page without a second query.
    var rows: Int { limit + 1 }

    /// Reads a page of a whole table.
    /// - Parameter column: the column by which the list is sorted.
    func page<Element>(
        of table: String, by column: String, _ db: Database, _ element: (Row) throws -> Element
    ) throws -> Page<Element> {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT * FROM \(table) WHERE ?1 IS NULL OR \(column) < ?1 ORDER BY \(column) DESC LIMIT ?2",
            arguments: [cursor, self.rows])
        return try page(rows, by: column, element)
    }

    /// - Parameters:
    ///   - rows: at most `self.rows`, in the order of the list.
    ///   - column: the column by which the list is sorted.
    func page<Element>(
        _ rows: [Row], by column: String, _ element: (Row) throws -> Element
    ) throws -> Page<Element> {
        let shown = rows.prefix(limit)
        let next: Int64? = rows.count > limit ? try shown.last?.value(column) : nil
        return Page(elements: try shown.map(element), next: next.map { String($0) })
    }
}
