import Inventory
import Randomness
import Testing

@Suite("Random catalogue files")
struct CatalogFuzzTests {
    @Test("Damaged files never crash; what is called valid keeps the rules, what is not says why")
    func damagedFiles() throws {
        let file = Array(
            #"""
            {"categories":["kit","material"],"products":[
             {"id":"P","name":"é","category":"kit","dev_status":5,"base_price":99500,"has_variants":true,
              "max_quantity":1000,"images":["a"],"specs":[{"b":1.50}],"metadata":{},
              "variants":[{"id":"V","name":"v","max_quantity":500},{"id":"W","name":"w","max_quantity":null}]},
             {"id":"Q","name":"n","category":"material","dev_status":0,"base_price":1,"has_variants":false}]}
            """#.utf8)
        try Fuzzing.rounds(5_000, of: "damaged catalogues") { (generator: inout SeededGenerator) throws in
            switch CatalogFile.decode(Mutation.mutate(file, using: &generator)) {
            case .valid(let catalog, _):
                #expect(keepsTheRules(catalog), "seed \(generator.seed)")
            case .invalid(let violations, _):
                #expect(!violations.isEmpty, "seed \(generator.seed)")
                #expect(violations.allSatisfy { !$0.path.isEmpty && !$0.message.isEmpty }, "seed \(generator.seed)")
            }
        }
    }

    private func keepsTheRules(_ catalog: Catalog) -> Bool {
        let ids = catalog.products.map(\.id)
        let variants = catalog.products.flatMap(\.variants)
        let caps = (catalog.products.map(\.maxQuantity) + variants.map(\.maxQuantity)).compactMap { $0 }
        return Set(ids).count == ids.count
            && Set(variants.map(\.id)).count == variants.count
            && (ids + variants.map(\.id)).allSatisfy { Identifier.violation(in: $0.text) == nil }
            && catalog.products.allSatisfy { product in
                catalog.categories.contains { $0.utf8.elementsEqual(product.category.utf8) }
                    && (0...5).contains(product.devStatus) && (1...Limit.exactInteger).contains(product.basePrice)
                    && !product.name.isEmpty
            }
            && caps.allSatisfy { (1...Limit.exactInteger).contains($0) }
    }
}
