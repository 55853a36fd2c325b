import Spelling
import Testing

@Suite struct SpellingSuggestionTests {
    static let words = ["max_quantity", "quantity", "product_closed", "ledger", "port", "id"]

    @Test(
        "suggests the nearest word",
        arguments: [
            // Case, blanks and separators do not count.
            ("MaxQuantity", "max_quantity"), ("max-quantity", "max_quantity"), ("LEDGER", "ledger"),
            // One edit, two edits, neighbours in the wrong order.
            ("ledgr", "ledger"), ("quantties", nil), ("qauntity", "quantity"), ("leddgre", "ledger"),
            // Parts in another order.
            ("closed_product", "product_closed"),
            // One edit in a short word; two are another word.
            ("pot", "port"), ("pt", nil), ("xd", "id"), ("x", nil), ("id", "id"),
            ("sku", nil), ("", nil),
        ] as [(String, String?)])
    func nearest(word: String, expected: String?) {
        #expect(SpellingSuggestion.closest(to: word, among: Self.words) == expected)
    }

    @Test("suggests the first of equally near words, and nothing for a word longer than any known one")
    func bounds() {
        #expect(SpellingSuggestion.closest(to: "blck", among: ["black", "block"]) == "black")
        let long = String(repeating: "a", count: 97)
        #expect(SpellingSuggestion.closest(to: long, among: [long]) == nil)
    }
}
