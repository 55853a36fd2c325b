import Domain
import Testing

@Suite("Availability")
struct AvailabilityTests {
    private static func state(_ sold: Int64?, _ cap: Int64?, isActive: Bool = true) -> CounterState {
        CounterState(sold: sold, cap: cap, isActive: isActive)
    }

    private static func closed(_ sold: Int64?, _ cap: Int64?) -> CounterState { state(sold, cap, isActive: false) }

    /// A product without variants, its available units, and whether it is available.
    private static let products: [(CounterState, Int64?, Bool)] = [
        (state(0, 5), 5, true), (state(4, 5), 1, true), (state(5, 5), 0, false), (state(7, 5), 0, false),
        (state(9, nil), nil, true), (state(nil, 5), 5, true), (closed(0, 5), 5, false), (closed(0, nil), nil, false),
        (closed(5, 5), 0, false),
    ]

    @Test(
        "of a product is its cap less its sold units, never below 0; a closed one is not available",
        arguments: products.indices
    )
    func product(_ index: Int) {
        let (state, available, isAvailable) = Self.products[index]
        let figures = Availability(product: ("P", "name", state), variants: []).product
        #expect(figures.available == available && figures.isAvailable == isAvailable)
        #expect(figures.isActive == state.isActive)
        #expect(figures.cap == state.cap && figures.sold == state.sold ?? 0)
        #expect(figures.id == "P" && figures.name == "name")
    }

    /// Product, variant, and the variant's availability: available units, is available, is active.
    private static let variants: [(CounterState, CounterState, Int64?, Bool, Bool)] = [
        (state(0, 9), state(0, 5), 5, true, true),
        (state(6, 9), state(0, 5), 3, true, true),
        (state(9, 9), state(0, 5), 0, false, true),
        (state(0, 9), state(5, 5), 0, false, true),
        (state(2, 9), state(0, nil), 7, true, true),
        (state(0, nil), state(1, 5), 4, true, true),
        (state(0, nil), state(1, nil), nil, true, true),
        (state(9, 9), state(1, nil), 0, false, true),
        (state(0, 9), closed(0, 5), 5, false, false),
        (closed(0, 9), state(0, 5), 5, false, false),
        (closed(0, nil), state(0, nil), nil, false, false),
    ]

    @Test("of a variant is the smaller of its own and its product's", arguments: variants.indices)
    func variant(_ index: Int) throws {
        let (product, variant, available, isAvailable, isActive) = Self.variants[index]
        let availability = Availability(product: ("P", "p", product), variants: [("V", "v", variant)])
        let figures = try #require(availability.variants.first)
        #expect(figures.available == available)
        #expect(figures.isAvailable == isAvailable && figures.isActive == isActive)
        // Cap and sold units remain the variant's own.
        #expect(figures.cap == variant.cap && figures.sold == variant.sold)
    }

    /// A product, its variants, and whether the product is available.
    private static let families: [(CounterState, [CounterState], Bool)] = [
        (state(5, 9), [state(5, 5), state(0, 5)], true),
        (state(5, 9), [state(5, 5), closed(0, 5)], false),
        (state(5, nil), [state(5, 5)], false),
        (state(5, nil), [state(5, 5), state(0, nil)], true),
        // It has lost its variants, and is sold without one.
        (state(5, 9), [closed(0, nil)], true), (state(9, 9), [closed(0, nil)], false),
        (state(9, 9), [state(0, nil)], false),
    ]

    @Test("of a product requires that one of its open variants is available", arguments: families.indices)
    func family(_ index: Int) {
        let (product, variants, isAvailable) = Self.families[index]
        let availability = Availability(
            product: ("P", "p", product), variants: variants.map { ("V", "v", $0) })
        #expect(availability.product.isAvailable == isAvailable)
        #expect(availability.product.isActive)
        #expect(availability.isSoldInVariants == variants.contains { $0.isActive })
    }

    @Test("keeps variants in their order")
    func order() {
        let ids: [Identifier] = ["c", "a", "b"]
        let availability = Availability(
            product: ("P", "p", Self.state(0, 1)), variants: ids.map { ($0, "v", Self.state(0, 1)) })
        #expect(availability.variants.map(\.id) == ids)
    }
}
