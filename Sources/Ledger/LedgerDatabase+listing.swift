import GRDB
import Inventory

/// The catalogue as shops show it: the synced data, without figures.
package struct CatalogueListing: Sendable {
    package var catalogueVersion: Int64
    /// In the catalogue's order; closed products last.
    package var products: [ShownProduct]
}

package struct ShownProduct: Sendable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var longDescription: String?
    package var category: String
    package var devStatus: Int
    /// Minor units.
    package var basePrice: Int64
    package var requiresAssembly: Bool
    /// JSON texts: an array of texts, an array of objects.
    package var images: String?
    package var specs: String?
    package var isActive: Bool
    package var variants: [ShownVariant]
}

package struct ShownVariant: Sendable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var images: String?
    package var specs: String?
}

extension LedgerDatabase {
    /// Every product and its variants, closed ones too, in one transaction.
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
                    try ShownVariant(
                        id: id, name: row.value(1), description: row.value(2), images: row.value(3),
                        specs: row.value(4))
                },
                product: { id, row, variants in
                    try ShownProduct(
                        id: id, name: row.value(1), description: row.value(2), longDescription: row.value(3),
                        category: row.value(4), devStatus: row.value(5), basePrice: row.value(6),
                        requiresAssembly: row.value(7), images: row.value(8), specs: row.value(9),
                        isActive: row.value(10), variants: variants)
                })
            return CatalogueListing(catalogueVersion: try LedgerHead.read(db).catalogueVersion, products: products)
        }
    }

    /// The ledger's own figures of some counters, in one transaction: nil for a counter it does not have.
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
