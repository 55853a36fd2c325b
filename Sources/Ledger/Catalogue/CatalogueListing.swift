/// The catalogue as shops display it: the synced data, without availability.
package struct CatalogueListing: Sendable {
    package var catalogueVersion: Int64
    /// In the catalogue's order, with closed products last.
    package var products: [ListedProduct]

    package init(catalogueVersion: Int64, products: [ListedProduct]) {
        self.catalogueVersion = catalogueVersion
        self.products = products
    }
}
