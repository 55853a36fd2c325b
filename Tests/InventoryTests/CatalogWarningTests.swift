import Inventory
import Testing

@Suite("Warnings about a catalogue file")
struct CatalogWarningTests {
    @Test(
        "An unknown key of a product is named with the one that was probably meant",
        arguments: [
            ("max_quanity", "max_quantity"), ("maxQuantity", "max_quantity"), ("MAX_QUANTITY", "max_quantity"),
            ("max-quantity", "max_quantity"), ("stripeProductId", "stripe_product_id"), ("descripton", "description"),
            ("varaints", "variants"), ("spec", "specs"), ("image", "images"),
            ("required_assembly", "requires_assembly"),
            ("weight", nil), ("sold_quantity", nil), ("names", nil), ("x", nil), ("_comment", nil),
        ] as [(String, String?)])
    func productKeys(key: String, meant: String?) {
        let file = SampleCatalog.decode(product: "\"\(key)\":1")
        let guess = meant.map { "; did you mean \($0)?" } ?? ""
        #expect(SampleCatalog.violations(file) == [])
        #expect(SampleCatalog.warnings(file) == ["products[0].\(key): unknown key, ignored\(guess)"])
    }

    @Test("Unknown keys of the file and of variants are named too; a product's key is none of a variant's")
    func otherKeys() {
        let file = CatalogFile.decode(
            Array(#"{"source":"x","categorys":[],"product":[],"products":[],"categories":[]}"#.utf8))
        #expect(
            SampleCatalog.warnings(file) == [
                "source: unknown key, ignored", "categorys: unknown key, ignored", "product: unknown key, ignored",
                "products: is empty: every product of the ledger will be closed",
            ])
        #expect(
            SampleCatalog.warnings(SampleCatalog.decode(variant: #""max_qantity":5,"base_price":7"#)) == [
                "products[0].variants[0].max_qantity: unknown key, ignored; did you mean max_quantity?",
                "products[0].variants[0].base_price: unknown key, ignored",
            ])
    }

    @Test("A guess helps where a required key is missing")
    func missingKey() {
        let file = CatalogFile.decode(Array(#"{"categories":[],"product":[]}"#.utf8))
        #expect(SampleCatalog.violations(file) == ["products: missing; write a list"])
        #expect(SampleCatalog.warnings(file) == ["product: unknown key, ignored; did you mean products?"])
    }

    @Test("A key that is no plain word is shown escaped and shortened")
    func strangeKeys() {
        #expect(
            SampleCatalog.warnings(SampleCatalog.decode(product: #""\u001b[2J.":1"#))
                == [#"products[0]."\u001b[2J.": unknown key, ignored"#])
        let long = String(repeating: "k", count: 300)
        #expect(
            SampleCatalog.warnings(SampleCatalog.decode(product: "\"\(long)\":1"))
                == ["products[0].\(String(repeating: "k", count: 39))…: unknown key, ignored"])
    }

    @Test("A variant's cap above its product's is warned about, at or below it is not")
    func caps() {
        func file(_ cap: String) -> CatalogFile {
            SampleCatalog.decode(
                product: """
                    "has_variants":true,"max_quantity":\(cap),
                    "variants":[{"id":"a","name":"a","max_quantity":6},{"id":"b","name":"b","max_quantity":5},
                                {"id":"c","name":"c"}]
                    """)
        }
        #expect(
            SampleCatalog.warnings(file("5")) == [
                "products[0].variants[0].max_quantity: 6 can never be sold: the product's max_quantity is 5"
            ])
        #expect(SampleCatalog.warnings(file("6")) == [])
        #expect(SampleCatalog.warnings(file("null")) == [])
    }
}
