import GRDB
import Inventory

/// The catalogue as shops show it: what is synced, without figures.
package struct Showcase: Sendable {
    package var catalogueVersion: Int64
    /// In the catalogue's order; closed ones last.
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
    package var isClosed: Bool
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
    package func showcase() async throws -> Showcase {
        try await read { db in
            var variants: [Identifier: [ShownVariant]] = [:]
            let variantRows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT product_id, id, name, description, images, specs FROM variants
                    ORDER BY is_active DESC, position, id
                    """)
            while let row = try variantRows.next() {
                variants[Identifier(row[0]), default: []].append(
                    ShownVariant(
                        id: Identifier(row[1]), name: row[2], description: row[3], images: row[4], specs: row[5]))
            }
            var products: [ShownProduct] = []
            let productRows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, name, description, long_description, category, dev_status, base_price,
                        requires_assembly, images, specs, is_active
                    FROM products ORDER BY is_active DESC, position, id
                    """)
            while let row = try productRows.next() {
                let id = Identifier(row[0])
                products.append(
                    ShownProduct(
                        id: id, name: row[1], description: row[2], longDescription: row[3], category: row[4],
                        devStatus: row[5], basePrice: row[6], requiresAssembly: row[7], images: row[8],
                        specs: row[9], isClosed: !(row[10] as Bool), variants: variants[id] ?? []))
            }
            return Showcase(catalogueVersion: try LedgerHead.read(db).catalogueVersion, products: products)
        }
    }

    /// The ledger's own figures of some counters, in one transaction: nil for one it does not have.
    package func states(
        of names: [CounterName]
    ) async throws -> (head: LedgerHead, states: [CounterState?]) {
        try await read { db in
            let states = try names.map { name -> CounterState? in
                let statement = try db.cachedStatement(
                    sql: "SELECT sold_quantity, max_quantity, is_active FROM \(name.level.view) WHERE id = ?")
                return try Row.fetchOne(statement, arguments: [name.id.text]).map { row in
                    CounterState(sold: row[0], cap: row[1], isClosed: !(row[2] as Bool))
                }
            }
            return (try LedgerHead.read(db), states)
        }
    }
}
