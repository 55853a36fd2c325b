import GRDB
import Domain
import Ledger

extension LedgerDatabase {
    package func listing() async throws -> CatalogueListing {
        try await read { db in
            let products = try CatalogueTree.read(
                db,
                productColumns: """
                    name, description, long_description, category, dev_status, base_price, requires_assembly, images,
                    specs, is_active
                    """,
                variantColumns: "name, description, images, specs",
                variant: { id, row in
                    try ListedVariant(
                        id: id, name: row.value(1), description: row.value(2), images: row.value(3),
                        specs: row.value(4))
                },
                product: { id, row, variants in
                    try ListedProduct(
                        id: id, name: row.value(1), description: row.value(2), longDescription: row.value(3),
                        category: row.value(4), devStatus: row.value(5), basePrice: row.value(6),
                        requiresAssembly: row.value(7), images: row.value(8), specs: row.value(9),
                        isActive: row.value(10), variants: variants)
                })
            return CatalogueListing(catalogueVersion: try LedgerHead.read(db).catalogueVersion, products: products)
        }
    }

    package func states(
        of names: [CounterName]
    ) async throws -> (head: LedgerHead, states: [CounterState?]) {
        try await read { db in
            let states = try names.map { name -> CounterState? in
                let statement = try db.cachedStatement(
                    sql: "SELECT sold_quantity, max_quantity, is_active FROM \(name.level.view) WHERE id = ?")
                return try Row.fetchOne(statement, arguments: [name.id.text]).map { row in
                    try CounterState(sold: row.value(0), cap: row.value(1), isActive: row.value(2))
                }
            }
            return (try LedgerHead.read(db), states)
        }
    }
}
