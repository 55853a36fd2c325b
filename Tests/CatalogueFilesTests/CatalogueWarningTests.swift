import CatalogueFiles
import Domain
import Testing

@Suite("Warnings about a catalogue file")
struct CatalogueWarningTests {
    @Test(
        "An unknown key of a product is reported with a suggestion",
        arguments: [
            ("max_quanity", "max_quantity"), ("maxQuantity", "max_quantity"), ("MAX_QUANTITY", "max_quantity"),
            ("max-quantity", "max_quantity"), ("stripeProductId", "stripe_product_id"), ("descripton", "description"),
            ("varaints", "variants"), ("spec", "specs"), ("image", "images"),
            ("required_assembly", "requires_assembly"),
            ("weight", nil), ("sold_quantity", nil), ("names", nil), ("x", nil), ("_comment", nil),
        ] as [(String, String?)])
    func productKeys(key: String, meant: String?) {
        let file = SampleCatalogue.decode(product: "\"\(key)\":1")
        let suggestion = meant.map { "; did you mean \($0)?" } ?? ""
        #expect(SampleCatalogue.violations(file) == [])
        #expect(SampleCatalogue.warnings(file) == ["products[0].\(key): unknown key, ignored\(suggestion)"])
    }

    @Test("Unknown keys of the file and of variants are reported, too; a product's key is unknown in a variant")
    func otherKeys() {
        let file = CatalogueFile.decode(
            Array(#"{"source":"x","categorys":[],"product":[],"products":[],"categories":[]}"#.utf8))
        #expect(
            SampleCatalogue.warnings(file) == [
                "source: unknown key, ignored", "categorys: unknown key, ignored", "product: unknown key, ignored",
                "products: is empty: every product of the ledger will be closed",
            ])
        #expect(
            SampleCatalogue.warnings(SampleCatalogue.decode(variant: #""max_qantity":5,"base_price":7"#)) == [
                "products[0].variants[0].max_qantity: unknown key, ignored; did you mean max_quantity?",
                "products[0].variants[0].base_price: unknown key, ignored",
            ])
    }

    @Test("A suggestion is made if a required key is missing")
    func missingKey() {
        let file = CatalogueFile.decode(Array(#"{"categories":[],"product":[]}"#.utf8))
        #expect(SampleCatalogue.violations(file) == ["products: missing; write a list"])
        #expect(SampleCatalogue.warnings(file) == ["product: unknown key, ignored; did you mean products?"])
    }

    @Test("A key that is not a plain word is shown escaped and shortened")
    func strangeKeys() {
        #expect(
            SampleCatalogue.warnings(SampleCatalogue.decode(product: #""\u001b[2J.":1"#))
                == [#"products[0]."\u001b[2J.": unknown key, ignored"#])
        let long = String(repeating: "k", count: 300)
        #expect(
            SampleCatalogue.warnings(SampleCatalogue.decode(product: "\"\(long)\":1"))
                == ["products[0].\(String(repeating: "k", count: 39))…: unknown key, ignored"])
    }

    @Test("A variant's cap causes a warning above its product's, but not at or below it")
    func caps() {
        func file(_ cap: String) -> CatalogueFile {
            SampleCatalogue.decode(
                product: """
                    "has_variants":true,"max_quantity":\(cap),
                    "variants":[{"id":"a","name":"a","max_quantity":6},{"id":"b","name":"b","max_quantity":5},
                                {"id":"c","name":"c"}]
                    """)
        }
        #expect(
            SampleCatalogue.warnings(file("5")) == [
                "products[0].variants[0].max_quantity: 6 can never be sold: the product's max_quantity is 5"
            ])
        #expect(SampleCatalogue.warnings(file("6")) == [])
        #expect(SampleCatalogue.warnings(file("null")) == [])
    }

    @Test(
        "Similar ids cause a warning, among products and among variants; so do ids that cannot be in a path"
    )
    func looks() {
        func product(_ id: String, _ more: String = "") -> String {
            #"{"id":"\#(id)","name":"n","category":"kit","dev_status":5,"base_price":1,"#
                + (more.isEmpty ? #""has_variants":false}"# : more + "}")
        }
        let variants =
            #""has_variants":true,"variants":[{"id":"Red","name":"r"},{"id":"RED ","name":"r"},{"id":"..","name":"d"}]"#
        let products = [
            product("ABC"), product("abc"), product("\u{a0}ABC"), product("ABD"), product("caf\u{e9}"),
            product("cafe\u{301}"), product("."), product(".."), product("v", variants), product("red"),
        ]
        let file = CatalogueFile.decode(SampleCatalogue.file(products: "[\(products.joined(separator: ","))]"))
        let rest = "and differs only in case, leading or trailing blanks, or how a letter is composed"
        #expect(SampleCatalogue.violations(file) == [])
        #expect(
            SampleCatalogue.warnings(file) == [
                #"products[1].id: "abc" is a different product from "ABC", \#(rest)"#,
                "products[2].id: \"\u{a0}ABC\" is a different product from \"ABC\", \(rest)",
                "products[5].id: \"cafe\u{301}\" is a different product from \"caf\u{e9}\", \(rest)",
                #"products[6].id: "." cannot be requested as /v1/products/.: clients remove it from URLs"#,
                #"products[7].id: ".." cannot be requested as /v1/products/..: clients remove it from URLs"#,
                #"products[8].variants[1].id: "RED " is a different variant from "Red", \#(rest)"#,
            ])
    }

    @Test("Of many similar ids the first are named, the others counted")
    func manyLooks() {
        let products = (0..<25).flatMap { number in
            ["x\(number)", "X\(number)"].map {
                #"{"id":"\#($0)","name":"n","category":"kit","dev_status":5,"base_price":1,"has_variants":false}"#
            }
        }
        let warnings = SampleCatalogue.warnings(
            CatalogueFile.decode(SampleCatalogue.file(products: "[\(products.joined(separator: ","))]")))
        #expect(warnings.count == 21)
        #expect(warnings.last == "products: 5 more ids look like another id")
    }
}
