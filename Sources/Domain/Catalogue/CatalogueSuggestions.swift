import Synchronization

/// Suggests ids for those that a catalogue does not have. The indexes are built at the first lookup, as most runs need
/// none.
final class CatalogueSuggestions: Sendable {
    private struct State {
        var products: IdentifierSuggestion?
        /// nil until the variants have been grouped by product.
        var variants: [Identifier: [Identifier]]?
        var variantsOf: [Identifier: IdentifierSuggestion] = [:]
    }

    private let state = Mutex(State())

    func product(
        _ id: Identifier, among products: [Identifier: CatalogueIndex.ProductEntry]
    ) -> Identifier? {
        state.withLock { state in
            let suggestion = state.products ?? IdentifierSuggestion(products.keys)
            state.products = suggestion
            return suggestion.closest(to: id)
        }
    }

    func variant(
        _ id: Identifier, of product: Identifier, among variants: [Identifier: CatalogueIndex.VariantEntry]
    ) -> Identifier? {
        state.withLock { state in
            let grouped = state.variants ?? Dictionary(grouping: variants.keys) { variants[$0]?.productID ?? $0 }
            state.variants = grouped
            let suggestion = state.variantsOf[product] ?? IdentifierSuggestion(grouped[product] ?? [])
            state.variantsOf[product] = suggestion
            return suggestion.closest(to: id)
        }
    }
}
