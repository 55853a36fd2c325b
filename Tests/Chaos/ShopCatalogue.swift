import Foundation
import Randomness

/// The shop's catalogue: two levels of caps, several of them small. In the course of a run caps change; products and
/// variants are added, closed and reopened; products gain and lose variants.
struct ShopCatalogue: Sendable, Equatable {
    struct Shelf: Sendable, Equatable {
        var product: String
        var isOpen = true
        var hasVariants: Bool
        var variants: [Variant]
    }

    struct Variant: Sendable, Equatable {
        var id: String
        var isOpen = true
    }

    /// Everything that was ever on sale. Closed products are not in the file, but the ledger still knows them.
    var shelves: [Shelf]
    /// Absent means unlimited.
    var caps: [String: Int] = ["CUBE": 300, "BLACK": 120, "WHITE": 150, "OAK": 40, "LAMP": 90, "RARE": 3]

    init() {
        shelves = Assortment.first.map { item in
            Shelf(
                product: item.product, hasVariants: !item.variants.isEmpty,
                variants: item.variants.map { Variant(id: $0) })
        }
    }

    /// Products and variants, including closed ones.
    var counters: [String] { shelves.flatMap { [$0.product] + $0.variants.map(\.id) } }

    func shelf(of product: String) -> Shelf? { shelves.first { $0.product == product } }

    // MARK: - Rules

    /// The reason why a line cannot be decided under this catalogue, by the rules of README.md; `nil` if it can.
    func violation(in line: Message.Line, mayBeClosed: Bool = false) -> String? {
        guard let shelf = shelf(of: line.product) else { return "unknown_product" }
        if !shelf.isOpen, !mayBeClosed { return "product_closed" }
        guard let id = line.variant else { return shelf.hasVariants ? "variant_required" : nil }
        guard let owner = shelves.first(where: { $0.variants.contains { $0.id == id } }) else {
            return "unknown_variant"
        }
        if owner.product != line.product { return "variant_of_another_product" }
        if !shelf.hasVariants { return "variant_not_allowed" }
        let isOpen = shelf.variants.contains { $0.id == id && $0.isOpen }
        return isOpen || mayBeClosed ? nil : "variant_closed"
    }

    // MARK: - The file

    /// The file's content as `sync` takes it.
    var file: String {
        func cap(_ id: String) -> String { caps[id].map(String.init) ?? "null" }
        let products = shelves.filter(\.isOpen).map { shelf in
            let variants = shelf.variants.filter { shelf.hasVariants && $0.isOpen }.map {
                #"{"id": "\#($0.id)", "name": "\#($0.id)", "max_quantity": \#(cap($0.id))}"#
            }
            let list = variants.isEmpty ? "" : #", "variants": [\#(variants.joined(separator: ", "))]"#
            return """
                {"id": "\(shelf.product)", "name": "\(shelf.product)", "category": "all", "dev_status": 5, \
                "base_price": 100, "has_variants": \(shelf.hasVariants), "max_quantity": \(cap(shelf.product))\(list)}
                """
        }
        return #"{"categories": ["all"], "products": [\#(products.joined(separator: ",\n"))]}"#
    }
}
