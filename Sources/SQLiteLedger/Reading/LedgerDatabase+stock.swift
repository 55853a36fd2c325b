import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func stock() async throws -> StockSnapshot {
        try await read { db in
            func state(_ row: Row) throws -> CounterState {
                try CounterState(sold: row.value(2), cap: row.value(3), isActive: row.value(4))
            }
            let columns = "name, sold_quantity, max_quantity, is_active"
            let products = try CatalogueTree.read(
                db, productColumns: columns, variantColumns: columns,
                variant: { id, row in
                    try ProductStock.VariantStock(id: id, name: row.value(1), state: state(row))
                },
                product: { id, row, variants in
                    try ProductStock(id: id, name: row.value(1), state: state(row), variants: variants)
                })
            return StockSnapshot(head: try LedgerHead.read(db), products: products)
        }
    }

    package func refusedOrders() async throws -> [CounterName: Int] {
        try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT refused_level, refused_id, count(*) FROM order_details WHERE \(Schema.isRefused) GROUP BY 1, 2
                    """)
            return Dictionary(
                try rows.compactMap { row in
                    try CapLevel(rawValue: row.value(0)).map {
                        (CounterName($0, Identifier(try row.value(1))), try row.value(2))
                    }
                }, uniquingKeysWith: +)
        }
    }
}
