import GRDB
import Ledger

/// Which page of a list is read: keyset pagination, latest first, by a column of integers that is unique.
struct PageRequest {
    let limit: Int
    /// Elements before this one; nil: the first page.
    let cursor: Int64?

    /// - Parameter after: the `next` of the previous page.
    init(limit: Int, after: String?) {
        self.limit = limit
        cursor = after.flatMap { Int64($0) }
    }

    /// One more than a page has: whether there is a next page shows without a second query.
    var rows: Int { limit + 1 }

    /// A page of a whole table.
    /// - Parameter column: which the list is sorted by.
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
    ///   - column: which the list is sorted by.
    func page<Element>(
        _ rows: [Row], by column: String, _ element: (Row) throws -> Element
    ) throws -> Page<Element> {
        let shown = rows.prefix(limit)
        let next: Int64? = rows.count > limit ? try shown.last?.value(column) : nil
        return Page(elements: try shown.map(element), next: next.map { String($0) })
    }
}
