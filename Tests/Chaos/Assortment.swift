import Randomness

/// All that the shop may ever sell. What publishers order does not depend on what it sells at the moment: some of it is
/// not on sale yet, or closed.
enum Assortment {
    struct Item: Sendable {
        var product: String
        /// At the beginning.
        var variants: [String]
        /// That may come later.
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

    /// Most of what is ordered would come to nothing without it: never closed as a whole, nor without variants.
    static let mainstay = "CUBE"

    /// Never runs out, and is never closed.
    static let plenty = "SAND"

    /// These may come; every second one has variants.
    static let later = (1...12).map { number in
        number % 2 == 0
            ? Item(product: "NEW\(number)", variants: ["NEW\(number)A", "NEW\(number)B"], more: [])
            : Item(product: "NEW\(number)", variants: [], more: ["NEW\(number)A"])
    }

    /// What a line of an order may be for: mostly what the shop sells at the beginning.
    /// - Parameter isSafe: only what is never closed as a whole.
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
                // The rare one is nearly always sold out, and of plenty there is enough: not too many of them.
                first[Int.random(in: 0..<(generator.chance(20) ? first.count : first.count - 2), using: &generator)]
            }
        if generator.chance(3), let variant = item.more.randomElement(using: &generator) {
            return (item.product, variant)
        }
        return (item.product, item.variants.randomElement(using: &generator))
    }

    /// What no catalogue allows, and a variant that some do not.
    private static let oddities: [(product: String, variant: String?)] = [
        ("NONE", nil), ("CUBE", nil), ("CUBE", "NONE"), ("CUBE", "OAK"), ("LAMP", "BLACK"),
    ]
}
