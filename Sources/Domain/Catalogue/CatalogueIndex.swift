/// The part of the catalogue that the consumer needs to validate a message: which ids are sold, and which variant
/// belongs to which product.
///
/// It is a snapshot of the ledger at one catalogue version.
package struct CatalogueIndex: Sendable {
    package struct ProductEntry: Sendable {
        package var isActive: Bool
        package var hasVariants: Bool

        package init(isActive: Bool, hasVariants: Bool) {
            self.isActive = isActive
            self.hasVariants = hasVariants
        }
    }

    package struct VariantEntry: Sendable {
        package var productID: Identifier
        package var isActive: Bool

        package init(productID: Identifier, isActive: Bool) {
            self.productID = productID
            self.isActive = isActive
        }
    }

    package let version: Int64
    private let products: [Identifier: ProductEntry]
    private let variants: [Identifier: VariantEntry]
    private let suggestions = CatalogueSuggestions()

    package init(version: Int64, products: [Identifier: ProductEntry], variants: [Identifier: VariantEntry]) {
        self.version = version
        self.products = products
        self.variants = variants
    }

    /// Returns why a checkout cannot be decided under this catalogue, or nil. Reports the first invalid line.
    package func violation(in checkout: Checkout) -> InvalidMessage? {
        for (line, item) in checkout.lines.enumerated() {
            if let invalid = violation(in: item.sku, path: "items[\(line)].") { return invalid }
        }
        return nil
    }

    /// Returns why an adjustment cannot be recorded, or nil. A closed SKU can still be adjusted.
    package func violation(in adjustment: Adjustment) -> InvalidMessage? {
        violation(in: adjustment.sku, path: "", mayBeClosed: true)
    }

    /// - Parameter path: the path of the line, with a trailing dot.
    private func violation(
        in item: SKU, path: @autoclosure () -> String, mayBeClosed: Bool = false
    ) -> InvalidMessage? {
        guard let product = products[item.productID] else {
            return InvalidMessage(
                .unknownProduct,
                "\(path())product_id: no product \"\(item.productID)\" in the catalogue\(hint(forProduct: item.productID))"
            )
        }
        if !product.isActive, !mayBeClosed {
            return InvalidMessage(.productClosed, "\(path())product_id: \"\(item.productID)\" is closed")
        }
        guard let variantID = item.variantID else {
            guard product.hasVariants else { return nil }
            return InvalidMessage(
                .variantRequired, "\(path())variant_id: missing, and product \"\(item.productID)\" has variants")
        }
        guard let variant = variants[variantID] else {
            let meant = suggestions.variant(variantID, of: item.productID, among: variants)
            return InvalidMessage(
                .unknownVariant,
                "\(path())variant_id: no variant \"\(variantID)\" in the catalogue\(Self.question(meant))")
        }
        if variant.productID != item.productID {
            return InvalidMessage(
                .variantOfAnotherProduct,
                "\(path())variant_id: \"\(variantID)\" belongs to product \"\(variant.productID)\", not to \"\(item.productID)\""
            )
        }
        if !product.hasVariants {
            return InvalidMessage(
                .variantNotAllowed, "\(path())variant_id: product \"\(item.productID)\" has no variants")
        }
        if !variant.isActive, !mayBeClosed {
            return InvalidMessage(.variantClosed, "\(path())variant_id: \"\(variantID)\" is closed")
        }
        return nil
    }

    /// Returns a suggestion for an unknown product id, as a suffix of the error message.
    private func hint(forProduct id: Identifier) -> String {
        if let owner = variants[id]?.productID { return "; it is a variant of product \"\(owner)\"" }
        return Self.question(suggestions.product(id, among: products))
    }

    /// Quotes the suggestion, so that a leading or trailing blank is visible.
    private static func question(_ meant: Identifier?) -> String { meant.map { "; did you mean \"\($0)\"?" } ?? "" }
}
