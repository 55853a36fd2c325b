import Foundation
import Randomness

/// What the shop sells: two levels of caps, several of them small. Caps change in the course of a run; products stay.
struct ShopCatalogue: Sendable, Equatable {
    struct Shelf: Sendable {
        var product: String
        var variants: [String]
    }

    static let shelves = [
        Shelf(product: "CUBE", variants: ["BLACK", "WHITE", "RED"]), Shelf(product: "DIAL", variants: ["OAK", "ELM"]),
        Shelf(product: "LAMP", variants: []), Shelf(product: "PANEL", variants: []),
        Shelf(product: "RARE", variants: []),
    ]

    static let counters = shelves.flatMap { [$0.product] + $0.variants }

    /// Absent is unlimited.
    var caps: [String: Int] = ["CUBE": 300, "BLACK": 120, "WHITE": 150, "OAK": 40, "LAMP": 90, "RARE": 3]

    /// Another cap, or none, for one or two products or variants.
    mutating func change(sold: [String: Int], using generator: inout SeededGenerator) {
        for _ in 0...Int.random(in: 0...1, using: &generator) {
            let id = Self.counters[Int.random(in: 0..<Self.counters.count, using: &generator)]
            if generator.chance(15) {
                caps[id] = nil
            } else {
                // Mostly more, sometimes less than has been sold already.
                caps[id] = max((sold[id] ?? 0) + Int.random(in: -15...300, using: &generator), 1)
            }
        }
    }

    /// As `sync` takes it.
    var file: String {
        func cap(_ id: String) -> String { caps[id].map(String.init) ?? "null" }
        let products = Self.shelves.map { shelf in
            let variants = shelf.variants.map { #"{"id": "\#($0)", "name": "\#($0)", "max_quantity": \#(cap($0))}"# }
            let list = variants.isEmpty ? "" : #", "variants": [\#(variants.joined(separator: ", "))]"#
            return """
                {"id": "\(shelf.product)", "name": "\(shelf.product)", "category": "all", "dev_status": 5, \
                "base_price": 100, "has_variants": \(!variants.isEmpty), "max_quantity": \(cap(shelf.product))\(list)}
                """
        }
        return #"{"categories": ["all"], "products": [\#(products.joined(separator: ",\n"))]}"#
    }
}
