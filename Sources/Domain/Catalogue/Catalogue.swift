/// A complete, valid catalogue file: ids are unique, and every category is listed.
package struct Catalogue: Sendable, Equatable {
    package var categories: [String]
    package var products: [Product]

    package init(categories: [String], products: [Product]) {
        self.categories = categories
        self.products = products
    }
}
