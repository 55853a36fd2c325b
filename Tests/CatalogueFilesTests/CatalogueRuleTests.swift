import CatalogueFiles
import Domain
import Testing

@Suite("Rules of a catalogue file")
struct CatalogueRuleTests {
    private static let price = "must be an integer from 1 to 9007199254740991 (minor units: 99500 is 995.00)"
    private static let cap =
        "must be an integer from 1 to 9007199254740991, or null for unlimited "
        + "(remove what is no longer sold from the file)"
    private static let idRule = "an id has 1 to 255 bytes and no control characters, and this one"

    @Test(
        "An invalid field of a product is reported with its value and the correction",
        arguments: [
            (#""id":7"#, "id: is 7; must be a string"), (#""id":null"#, "id: missing; write a string"),
            (#""id":"""#, #"id: is ""; \#(idRule) is empty"#),
            (#""id":"a\u0000""#, #"id: is "a\u0000"; \#(idRule) contains a control character"#),
            (#""name":"""#, #"name: is ""; must not be empty"#), (#""name":null"#, "name: missing; write a string"),
            (#""name":{}"#, "name: is an object; must be a string"),
            (#""name":"a\u0000""#, #"name: is "a\u0000"; must not contain U+0000"#),
            (#""description":1"#, "description: is 1; must be a string, or null"),
            (#""long_description":[]"#, "long_description: is an array; must be a string, or null"),
            (#""stripe_product_id":true"#, "stripe_product_id: is true; must be a string, or null"),
            (#""category":"toys""#, #"category: is "toys"; must be one of categories"#),
            (#""category":"Kit""#, #"category: is "Kit"; must be one of categories; did you mean "kit"?"#),
            (#""category":3"#, "category: is 3; must be a string"),
            (#""dev_status":6"#, "dev_status: is 6; must be an integer from 0 to 5"),
            (#""dev_status":-1"#, "dev_status: is -1; must be an integer from 0 to 5"),
            (#""dev_status":5.0"#, "dev_status: is 5.0; must be an integer from 0 to 5"),
            (#""dev_status":null"#, "dev_status: missing; write an integer from 0 to 5"),
            (#""base_price":0"#, "base_price: is 0; \(price)"), (#""base_price":-5"#, "base_price: is -5; \(price)"),
            (#""base_price":9.95"#, "base_price: is 9.95; \(price)"),
            (#""base_price":9007199254740992"#, "base_price: is 9007199254740992; \(price)"),
            (#""base_price":"995""#, "base_price: is \"995\"; \(price)"),
            (#""max_quantity":0"#, "max_quantity: is 0; \(cap)"),
            (#""max_quantity":-1"#, "max_quantity: is -1; \(cap)"),
            (#""max_quantity":2.0"#, "max_quantity: is 2.0; \(cap)"),
            (#""max_quantity":1e3"#, "max_quantity: is 1e3; \(cap)"),
            (#""max_quantity":"10""#, "max_quantity: is \"10\"; \(cap)"),
            (#""max_quantity":9007199254740992"#, "max_quantity: is 9007199254740992; \(cap)"),
            (#""max_quantity":99999999999999999999"#, "max_quantity: is 99999999999999999999; \(cap)"),
            (#""has_variants":null"#, "has_variants: missing; write true or false"),
            (#""has_variants":1"#, "has_variants: is 1; must be true or false"),
            (#""requires_assembly":"no""#, "requires_assembly: is \"no\"; must be true or false"),
            (#""images":"a.png""#, "images: is \"a.png\"; must be a list"),
            (#""images":["a",7]"#, "images[1]: is 7; must be a string"),
            (#""specs":{}"#, "specs: is an object; must be a list"),
            (#""specs":[{},[],"x"]"#, "specs[1]: is an array; must be an object"),
            (#""metadata":[]"#, "metadata: is an array; must be an object, or null"),
            (#""variants":{}"#, "variants: is an object; must be a list"),
        ])
    func productFields(fields: String, violation: String) {
        #expect(SampleCatalogue.violations(product: fields).first == "products[0].\(violation)")
    }

    @Test(
        "An invalid field of a variant is reported, too",
        arguments: [
            (#""id":"""#, #"id: is ""; \#(idRule) is empty"#), (#""name":"""#, #"name: is ""; must not be empty"#),
            (#""max_quantity":0"#, "max_quantity: is 0; \(cap)"),
            (#""max_quantity":1.5"#, "max_quantity: is 1.5; \(cap)"),
            (#""description":0"#, "description: is 0; must be a string, or null"),
            (#""images":[null]"#, "images[0]: is null; must be a string"),
            (#""specs":[1]"#, "specs[0]: is 1; must be an object"),
            (#""metadata":"x""#, "metadata: is \"x\"; must be an object, or null"),
        ])
    func variantFields(fields: String, violation: String) {
        #expect(
            SampleCatalogue.violations(SampleCatalogue.decode(variant: fields))
                == ["products[0].variants[0].\(violation)"])
    }

    @Test("Each missing field is a separate violation")
    func missingFields() {
        let file = CatalogueFile.decode(SampleCatalogue.file(products: "[{}]"))
        let paths = ["id", "name", "category", "dev_status", "base_price", "has_variants"].map { "products[0].\($0)" }
        guard case .invalid(let violations, let warnings) = file else {
            Issue.record("valid")
            return
        }
        #expect(violations.map(\.path) == paths)
        #expect(violations.allSatisfy { $0.message.hasPrefix("missing; write ") })
        #expect(warnings == [])
    }

    @Test(
        "has_variants says whether there are variants",
        arguments: [
            (#""has_variants":true"#, "variants: must not be empty or missing where has_variants is true"),
            (#""has_variants":true,"variants":null"#, "variants: must not be empty or missing"),
            (#""has_variants":true,"variants":[]"#, "variants: must not be empty or missing"),
            (
                #""has_variants":false,"variants":[{"id" :"v","name" :"v"}]"#,
                "has_variants: is false; must be true where there are variants"
            ),
            (#""has_variants":false,"variants":[]"#, nil), (#""has_variants":false,"variants":null"#, nil),
        ] as [(String, String?)])
    func variantsFlag(fields: String, violation: String?) {
        let violations = SampleCatalogue.violations(product: fields)
        #expect(violations.count == (violation == nil ? 0 : 1))
        #expect(violations.first?.hasPrefix("products[0].\(violation ?? "")") ?? true)
    }

    @Test("Ids are unique, byte by byte: products among products, variants in the whole store")
    func uniqueIDs() {
        func file(_ products: [(id: String, variants: [String])]) -> [UInt8] {
            let texts = products.map { product in
                let variants = product.variants.map { "{\"id\":\"\($0)\",\"name\":\"v\"}" }
                return SampleCatalogue.product(
                    id: product.id,
                    withVariants: "[\(variants.joined(separator: ","))]")
            }
            return SampleCatalogue.file(products: "[\(texts.joined(separator: ","))]")
        }
        let distinct = file([("a", ["a", "b", "B", "\u{E9}"]), ("A", ["e\u{301}", " b"])])
        #expect(SampleCatalogue.violations(CatalogueFile.decode(distinct)) == [])
        let same = file([("a", ["x", "x"]), ("b", ["y"]), ("a", ["x"]), ("a", ["z"])])
        #expect(
            SampleCatalogue.violations(CatalogueFile.decode(same)) == [
                "products[0].variants[1].id: is \"x\"; must be unique, and products[0].variants[0] has it too",
                "products[2].id: is \"a\"; must be unique, and products[0] has it too",
                "products[2].variants[0].id: is \"x\"; must be unique, and products[0].variants[0] has it too",
                "products[3].id: is \"a\"; must be unique, and products[0] has it too",
            ])
    }

    @Test(
        "The file is an object of categories and products",
        arguments: [
            ("[]", ["the file: is an array; must be an object with categories and products"]),
            ("7", ["the file: is 7; must be an object with categories and products"]),
            ("{}", ["categories: missing; write a list", "products: missing; write a list"]),
            (
                #"{"categories":{},"products":"x"}"#,
                ["categories: is an object; must be a list", "products: is \"x\"; must be a list"]
            ),
            (
                #"{"categories":["a","",7,"a"],"products":[7,null]}"#,
                [
                    "categories[1]: is \"\"; must be a non-empty string without U+0000",
                    "categories[2]: is 7; must be a non-empty string without U+0000",
                    "categories[3]: is \"a\"; must be listed only once",
                    "products[0]: is 7; must be an object", "products[1]: is null; must be an object",
                ]
            ),
        ])
    func file(text: String, violations: [String]) {
        #expect(SampleCatalogue.violations(CatalogueFile.decode(Array(text.utf8))) == violations)
    }

    @Test("Violations of all products are reported at once, long values shortened")
    func allAtOnce() {
        let long = String(repeating: "x", count: 100)
        let products = """
            [{"id":"a","name":"n","category":"\(long)","dev_status":9,"base_price":1,"has_variants":true,
              "variants":[{"id":"v","name":"","max_quantity":-5},8]},
             {"id":"b","name":"n","category":"kit","dev_status":1,"base_price":0,"has_variants":false}]
            """
        guard case .invalid(let violations, _) = CatalogueFile.decode(SampleCatalogue.file(products: products)) else {
            Issue.record("valid")
            return
        }
        #expect(
            violations.map(\.path) == [
                "products[0].category", "products[0].dev_status", "products[0].variants[0].name",
                "products[0].variants[0].max_quantity", "products[0].variants[1]", "products[1].base_price",
            ])
        #expect(violations[0].value == "\"" + String(repeating: "x", count: 38) + "…")
    }
}
