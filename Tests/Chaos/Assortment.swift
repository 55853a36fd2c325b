import Randomness

/// Everything that the shop may ever sell. Publishers order independently of what is on sale at the moment: some of it
/// is not on sale yet, or closed.
enum Assortment {
    struct Item: Sendable {
        var product: String
        /// At the beginning.
        var variants: [String]
        /// Variants that may be added later.
        var more: [String]
    }

    /// On sale at the beginning.
    static let first = [
        Item(product: "CUBE", variants: ["BLACK", "WHITE", "RED"], more: ["GREEN", "GOLD"]),
        Item(product: "DIAL", variants: ["OAK", "ELM"], more: ["TEAK"]),
        Item(product: "LAMP", variants: [], more: ["TALL", "LOW"]),
        Item(product: "PANEL", variants: [], more: ["MATT"]),
        Item(product: "RARE", variants: [], more: []), Item(product: plenty, variants: [], more: []),
    ]

    /// Never closed as a whole, nor without variants, because most orders include it and would fail without it.
    static let mainstay = "CUBE"

    /// Never runs out, and is never closed.
    static let plenty = "SAND"

    /// Products that may be added; every second one has variants.
    static let later = (1...12).map { number in
        number % 2 == 0
            ? Item(product: "NEW\(number)", variants: ["NEW\(number)A", "NEW\(number)B"], more: [])
            : Item(product: "NEW\(number)", variants: [], more: ["NEW\(number)A"])
    }

    /// A random SKU for a line of an order, usually one that is on sale at the beginning.
    /// - Parameter isSafe: Chooses only SKUs that are never closed as a whole.
    static func line(isSafe: Bool = false, using generator: inout SeededGenerator) -> (
        product: String, variant: String?
    ) {
        if isSafe {
            let safe = first.filter { [mainstay, "RARE", plenty].contains($0.product) }
            let item = generator.chance(80) ? safe[0] : safe[Int.random(in: 0..<safe.count, using: &generator)]
            return (item.product, item.variants.randomElement(using: &generator))
        }
        if generator.chance(1) { return oddities.randomElement(using: &generator) ?? oddities[0] }
        let item =
            if generator.chance(2) {
                later[Int.random(in: 0..<later.count, using: &generator)]
            } else {
                // The rare product is almost always sold out and the plentiful one never, so both are chosen less
                // often.
                first[Int.random(in: 0..<(generator.chance(20) ? first.count : first.count - 2), using: &generator)]
            }
        if generator.chance(3), let variant = item.more.randomElement(using: &generator) {
            return (item.product, variant)
        }
        return (item.product, item.variants.randomElement(using: &generator))
    }

    /// SKUs that no catalogue has, and a variant that some do not have.
    private static let oddities: [(product: String, variant: String?)] = [
        ("NONE", nil), ("CUBE", nil), ("CUBE", "NONE"), ("CUBE", "OAK"), ("LAMP", "BLACK"),
    ]
}
