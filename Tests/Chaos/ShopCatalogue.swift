import Foundation
import Randomness

/// What the shop sells: two levels of caps, several of them small. In the course of a run caps change; products and
/// variants come, close and open again; products get variants and lose them.
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

    /// All that ever was on sale. What is closed is not in the file, and the ledger knows it still.
    var shelves: [Shelf]
    /// Absent is unlimited.
    var caps: [String: Int] = ["CUBE": 300, "BLACK": 120, "WHITE": 150, "OAK": 40, "LAMP": 90, "RARE": 3]

    init() {
        shelves = Assortment.first.map { item in
            Shelf(
                product: item.product, hasVariants: !item.variants.isEmpty,
                variants: item.variants.map { Variant(id: $0) })
        }
    }

    /// Products and variants, closed ones as well.
    var counters: [String] { shelves.flatMap { [$0.product] + $0.variants.map(\.id) } }

    func shelf(of product: String) -> Shelf? { shelves.first { $0.product == product } }

    // MARK: - Rules

    /// Why a line cannot be decided under this catalogue, as docs/messages.md has it; nil if it can.
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

    /// As `sync` takes it.
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
