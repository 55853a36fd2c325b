import Domain
import Testing

@Suite("Checkouts against the catalogue")
struct CatalogueIndexTests {
    private static let index = CatalogueIndex(
        version: 1,
        products: [
            "plain": .init(isActive: true, hasVariants: false), "varied": .init(isActive: true, hasVariants: true),
            "other": .init(isActive: true, hasVariants: true), "closed": .init(isActive: false, hasVariants: false),
            "once varied": .init(isActive: true, hasVariants: false),
        ],
        variants: [
            "red": .init(productID: "varied", isActive: true), "blue": .init(productID: "other", isActive: true),
            "grey": .init(productID: "varied", isActive: false), "old": .init(productID: "once varied", isActive: true),
        ])

    private func invalid(_ items: [(Identifier, Identifier?)]) -> InvalidMessage? {
        Self.index.violation(
            in: Checkout(
                orderID: "o",
                items: items.map { Checkout.Item(productID: $0.0, variantID: $0.1, units: 1, unitPrice: 1) }))
    }

    @Test(
        "An item that the catalogue does not allow is rejected with its reason",
        arguments: [
            ("plain", nil, nil, ""), ("varied", "red", nil, ""),
            ("nothing", nil, .unknownProduct, #"product_id: no product "nothing" in the catalogue"#),
            ("Plain", nil, .unknownProduct, #"product_id: no product "Plain" in the catalogue; did you mean "plain"?"#),
            (
                "plain ", nil, .unknownProduct,
                #"product_id: no product "plain " in the catalogue; did you mean "plain"?"#
            ),
            (
                "red", nil, .unknownProduct,
                #"product_id: no product "red" in the catalogue; it is a variant of product "varied""#
            ),
            ("closed", nil, .productClosed, #"product_id: "closed" is closed"#),
            ("varied", nil, .variantRequired, #"variant_id: missing, and product "varied" has variants"#),
            (
                "varied", "Red", .unknownVariant,
                #"variant_id: no variant "Red" in the catalogue; did you mean "red"?"#
            ),
            // A similar id, but of another product.
            ("varied", "bleu", .unknownVariant, #"variant_id: no variant "bleu" in the catalogue"#),
            ("varied", "green", .unknownVariant, #"variant_id: no variant "green" in the catalogue"#),
            (
                "varied", "blue", .variantOfAnotherProduct,
                #"variant_id: "blue" belongs to product "other", not to "varied""#
            ),
            ("varied", "grey", .variantClosed, #"variant_id: "grey" is closed"#),
            ("once varied", "old", .variantNotAllowed, #"variant_id: product "once varied" has no variants"#),
            (
                "plain", "red", .variantOfAnotherProduct,
                #"variant_id: "red" belongs to product "varied", not to "plain""#
            ),
        ] as [(Identifier, Identifier?, DeadLetterReason?, String)])
    func items(product: Identifier, variant: Identifier?, reason: DeadLetterReason?, detail: String) {
        #expect(invalid([(product, variant)]) == reason.map { InvalidMessage($0, "items[0].\(detail)") })
    }

    @Test("The first invalid line is named")
    func firstLine() {
        let items: [(Identifier, Identifier?)] = [("plain", nil), ("nothing", nil), ("closed", nil)]
        #expect(invalid(items)?.detail == #"items[1].product_id: no product "nothing" in the catalogue"#)
    }
}
