/// One product's availability for a storefront: the effective numbers, not the stored ones.
///
/// The JSON shape is a contract (`stocktake stock --json`, HTTP).
package struct Availability: Sendable, Equatable {
    package struct Stock: Sendable, Equatable {
        package var id: Identifier
        package var name: String
        package var isActive: Bool
        package var cap: Int64?
        package var sold: Int64
        /// Units that can still be bought; nil = unlimited.
        package var available: Int64?
        package var isAvailable: Bool
    }

    package var product: Stock
    package var variants: [Stock]
    /// Whether an order must name a variant. A product whose variants were all removed keeps them as closed variants,
    /// and is sold without a variant.
    package var isSoldInVariants: Bool

    /// Computes the effective availability from the counters.
    ///
    /// A variant's availability is bounded by its product's. A product whose active variants are all sold out is not
    /// available, and neither is a closed product or variant.
    package init(
        product: (id: Identifier, name: String, state: CounterState),
        variants: [(id: Identifier, name: String, state: CounterState)]
    ) {
        let own = Self.available(product.state)
        self.variants = variants.map { variant in
            let isActive = product.state.isActive && variant.state.isActive
            let available = Self.smaller(Self.available(variant.state), own)
            return Stock(
                id: variant.id, name: variant.name, isActive: isActive, cap: variant.state.cap,
                sold: variant.state.sold ?? 0, available: available,
                isAvailable: isActive && available != 0)
        }
        let isActive = product.state.isActive
        isSoldInVariants = variants.contains { $0.state.isActive }
        let anyVariant = !isSoldInVariants || self.variants.contains(where: \.isAvailable)
        self.product = Stock(
            id: product.id, name: product.name, isActive: isActive, cap: product.state.cap,
            sold: product.state.sold ?? 0, available: own,
            isAvailable: isActive && own != 0 && anyVariant)
    }

    private static func available(_ state: CounterState) -> Int64? {
        state.cap.map { CapRule.left(sold: state.sold ?? 0, cap: $0) }
    }

    private static func smaller(_ left: Int64?, _ right: Int64?) -> Int64? {
        guard let left else { return right }
        guard let right else { return left }
        return min(left, right)
    }
}
