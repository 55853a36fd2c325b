import GRDB
import Inventory

/// A product with its variants and their counters, as the ledger has them.
package struct StockedProduct: Sendable {
    package var id: Identifier
    package var name: String
    package var state: CounterState
    package var variants: [StockedVariant]

    package struct StockedVariant: Sendable {
        package var id: Identifier
        package var name: String
        package var state: CounterState
    }

    /// The names of all its counters.
    package var counters: [CounterName] { [.product(id)] + variants.map { .variant($0.id) } }

    /// The effective figures, with the counters taken from `state` (Redis) or as the ledger has them.
    package func availability(_ counters: [CounterName: CounterState]? = nil) -> Availability {
        func state(_ name: CounterName, _ own: CounterState) -> CounterState {
            guard let counters else { return own }
            return counters[name] ?? CounterState(sold: nil, cap: own.cap, isActive: own.isActive)
        }
        return Availability(
            product: (id, name, state(.product(id), self.state)),
            variants: variants.map { ($0.id, $0.name, state(.variant($0.id), $0.state)) })
    }
}

/// The ledger's figures at one moment.
package struct StockSnapshot: Sendable {
    package var head: LedgerHead
    /// In the catalogue's order; closed products last.
    package var products: [StockedProduct]
}

extension LedgerDatabase {
    /// Every product and its variants, closed ones too, in one transaction.
    package func stock() async throws -> StockSnapshot {
        try await read { db in
            func state(_ row: Row) throws -> CounterState {
                try CounterState(sold: row.value(2), cap: row.value(3), isActive: row.value(4))
            }
            let columns = "name, sold_quantity, max_quantity, is_active"
            let products = try CatalogueTree.read(
                db, productColumns: columns, variantColumns: columns,
                variant: { id, row in
                    try StockedProduct.StockedVariant(id: id, name: row.value(1), state: state(row))
                },
                product: { id, row, variants in
                    try StockedProduct(id: id, name: row.value(1), state: state(row), variants: variants)
                })
            return StockSnapshot(head: try LedgerHead.read(db), products: products)
        }
    }

    /// How many orders were refused because of each counter.
    package func refusedOrders() async throws -> [CounterName: Int] {
        try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT refused_level, refused_id, count(*) FROM orders WHERE \(Self.isRefused) GROUP BY 1, 2
                    """)
            return Dictionary(
                try rows.compactMap { row in
                    try Level(rawValue: row.value(0)).map {
                        (CounterName($0, Identifier(try row.value(1))), try row.value(2))
                    }
                }, uniquingKeysWith: +)
        }
    }
}
