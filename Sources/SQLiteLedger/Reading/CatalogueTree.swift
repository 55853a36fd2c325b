import GRDB
import Domain

/// Reads the catalogue as a list of products with their variants, in the catalogue's order, with closed ones last.
enum CatalogueTree {
    private static let order = "ORDER BY is_active DESC, position, id"

    /// - Parameters:
    ///   - productColumns: read for `product`, from index 1; index 0 is the product's id.
    ///   - variantColumns: read for `variant`, from index 1; index 0 is the variant's id.
    static func read<Product, Variant>(
        _ db: Database, productColumns: String, variantColumns: String,
        variant: (Identifier, Row) throws -> Variant, product: (Identifier, Row, [Variant]) throws -> Product
    ) throws -> [Product] {
        var variants: [Identifier: [Variant]] = [:]
        // The product's id comes last, so that the caller's columns keep their indexes.
        let variantRows = try Row.fetchCursor(
            db, sql: "SELECT id, \(variantColumns), product_id FROM variants \(order)")
        while let row = try variantRows.next() {
            let owner = Identifier(try row.value(row.count - 1))
            try variants[owner, default: []].append(variant(Identifier(row.value(0)), row))
        }
        var products: [Product] = []
        let productRows = try Row.fetchCursor(db, sql: "SELECT id, \(productColumns) FROM products \(order)")
        while let row = try productRows.next() {
            let id = Identifier(try row.value(0))
            try products.append(product(id, row, variants[id] ?? []))
        }
        return products
    }
}
