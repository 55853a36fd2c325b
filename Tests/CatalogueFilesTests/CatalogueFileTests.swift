import CatalogueFiles
import Foundation
import Domain
import Testing

@Suite("Reading a catalogue file")
struct CatalogueFileTests {
    @Test("Every field is read")
    func everyField() {
        let text = #"""
            {"categories":["kit","material"],"products":[
             {"id":"P 1","name":"é","description":"d","long_description":"l","category":"kit","dev_status":0,
              "base_price":9007199254740991,"stripe_product_id":"prod_1","has_variants":true,"requires_assembly":true,
              "max_quantity":9007199254740991,"images":[ "a.png", "b\u0000" ],"specs":[ {"b":1.50, "a":[]} ],
              "metadata":{ "x": null },"variants":[
               {"id":"V","name":"v","description":"vd","stripe_product_id":"prod_2","max_quantity":1,
                "images":[],"specs":[],"metadata":{}},
               {"id":"v","name":"w"}]},
             {"id":"p 1","name":"n","category":"material","dev_status":5,"base_price":1,"has_variants":false}]}
            """#
        let first = Product(
            id: "P 1", name: "é", description: "d", longDescription: "l", category: "kit", devStatus: 0,
            basePrice: 9_007_199_254_740_991, stripeProductID: "prod_1", requiresAssembly: true,
            cap: 9_007_199_254_740_991, images: #"["a.png","b\u0000"]"#, specs: #"[{"b":1.50,"a":[]}]"#,
            metadata: #"{"x":null}"#,
            variants: [
                Variant(
                    id: "V", name: "v", description: "vd", stripeProductID: "prod_2", cap: 1, images: "[]",
                    specs: "[]", metadata: "{}"),
                Variant(id: "v", name: "w"),
            ])
        let second = Product(id: "p 1", name: "n", category: "material", devStatus: 5, basePrice: 1)
        let catalogue = Catalogue(categories: ["kit", "material"], products: [first, second])
        let alike = [
            CatalogueIssue("products[0].variants[1].id", Self.alike("v", "variant", "V")),
            CatalogueIssue("products[1].id", Self.alike("p 1", "product", "P 1")),
        ]
        #expect(CatalogueFile.decode(Array(text.utf8)) == .valid(catalogue, warnings: alike))
    }

    private static func alike(_ id: String, _ level: String, _ other: String) -> String {
        "\"\(id)\" is a different \(level) from \"\(other)\", "
            + "and differs only in case, leading or trailing blanks, or how a letter is composed"
    }

    @Test("Null equals absent in every optional field")
    func nulls() {
        let optional = [
            "description", "long_description", "stripe_product_id", "requires_assembly", "max_quantity", "images",
            "specs", "metadata", "variants",
        ]
        let fields = optional.map { "\"\($0)\":null" }.joined(separator: ",")
        #expect(SampleCatalogue.decode(product: fields) == SampleCatalogue.decode(product: ""))
        #expect(SampleCatalogue.violations(product: fields) == [])
    }

    @Test("A syntax error is one violation, with line and column")
    func syntax() {
        let rows: [(String, CatalogueIssue)] = [
            ("", CatalogueIssue("line 1, column 1", "expected a value, found the end")),
            ("{\n \"products\": [\n  {},\n ]}", CatalogueIssue("line 4, column 2", "expected a value, found ]")),
            ("{\"a\":1,\n\"a\":2}", CatalogueIssue("line 2, column 1", "the object has this key already")),
        ]
        for (text, issue) in rows {
            #expect(CatalogueFile.decode(Array(text.utf8)) == .invalid(violations: [issue], warnings: []))
        }
        let foreign = CatalogueIssue("line 1, column 2", "the bytes are not UTF-8")
        #expect(CatalogueFile.decode([0x20, 0xFF]) == .invalid(violations: [foreign], warnings: []))
    }

    @Test("The shipped catalogue has no violation and no warning, and contains the limited edition")
    func shipped() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Data(contentsOf: root.appendingPathComponent("config/products.json"))
        guard case .valid(let catalogue, let warnings) = CatalogueFile.decode(Array(file)) else {
            Issue.record("\(CatalogueFile.decode(Array(file)))")
            return
        }
        #expect(warnings == [])
        #expect(catalogue.categories == ["material", "connector", "control", "diffuser", "kit", "interface"])
        #expect(Set(catalogue.products.map(\.category)) == Set(catalogue.categories))
        let founder = catalogue.products.first { $0.id == "Unit-8x8x8-Founder" }
        #expect(founder?.cap == 1_000)
        #expect(founder?.basePrice == 99_500)
        #expect(founder?.variants.map(\.id) == ["BLACK", "WHITE", "RED"])
        #expect(founder?.variants.map(\.cap) == [500, 300, 200])
        for unlimited in ["Material-8x8-V", "Unit-8x8x8-DIY"] as [Identifier] {
            let product = catalogue.products.first { $0.id == unlimited }
            #expect(product != nil && product?.cap == nil, "\(unlimited)")
        }
    }

    @Test("A catalogue of 5,000 products with variants is read, and every one of its faults is reported")
    func large() {
        func file(price: Int) -> [UInt8] {
            let products = (0..<5_000).map { number in
                """
                {"id":"p\(number)","name":"n","category":"kit","dev_status":5,"base_price":\(price),"has_variants":true,
                 "variants":[{"id":"v\(number)","name":"v","max_quantity":5}]}
                """
            }
            return Array("{\"categories\":[\"kit\"],\"products\":[\(products.joined(separator: ","))]}".utf8)
        }
        guard case .valid(let catalogue, _) = CatalogueFile.decode(file(price: 1)) else {
            Issue.record("not valid")
            return
        }
        #expect(catalogue.products.count == 5_000)
        guard case .invalid(let violations, _) = CatalogueFile.decode(file(price: 0)) else {
            Issue.record("valid")
            return
        }
        #expect(violations.map(\.path) == (0..<5_000).map { "products[\($0)].base_price" })
    }
}
