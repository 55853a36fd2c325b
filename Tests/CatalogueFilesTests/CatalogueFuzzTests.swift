import CatalogueFiles
import Domain
import Randomness
import StrictJSON
import Testing

@Suite("Random catalogue files")
struct CatalogueFuzzTests {
    private static let text = #"""
        {"categories":["kit","material"],"products":[
         {"id":"P","name":"é","description":"d","long_description":"l","category":"kit","dev_status":5,
          "base_price":99500,"stripe_product_id":"s","has_variants":true,"requires_assembly":true,
          "max_quantity":1000,"images":["a"],"specs":[{"b":1.50}],"metadata":{},
          "variants":[{"id":"V","name":"v","max_quantity":500,"images":[],"specs":[{}],"metadata":{"c":[1]}},
                      {"id":"W","name":"w","max_quantity":null}]},
         {"id":"Q","name":"n","category":"material","dev_status":0,"base_price":1,"has_variants":false}]}
        """#

    @Test("Damaged bytes never crash the decoder, which finds exactly the violations of the rules")
    func damagedBytes() throws {
        let file = Array(Self.text.utf8)
        try Fuzzing.cases(2_000, of: "damaged catalogues") {
            Mutation.mutate(file, using: &$0)
        } check: { sample, _ in
            let decoded = CatalogueFile.decode(sample.bytes)
            check(decoded, of: sample.bytes, "\(sample)")
            #expect(CatalogueFile.decode(sample.bytes) == decoded, "\(sample)")
        }
    }

    @Test("Valid JSON with misplaced values is judged by the rules")
    func damagedValues() throws {
        let file = JSONMutation.literal(Self.text)
        try Fuzzing.cases(3_000, of: "catalogues with damaged values") {
            JSONMutation.mutate(file, using: &$0)
        } check: { sample, _ in
            check(CatalogueFile.decode(sample.bytes), of: sample.bytes, "\(sample)")
        }
    }

    @Test("The corpus is judged as its folders say", arguments: try Corpus.cases())
    func corpus(_ sample: Corpus) {
        let decoded = CatalogueFile.decode(sample.bytes)
        if case .valid = decoded {
            #expect(sample.folders == ["accepted"])
        } else {
            #expect(sample.folders == ["refused"])
        }
        check(decoded, of: sample.bytes, "\(sample)")
    }

    private func check(_ decoded: CatalogueFile, of bytes: [UInt8], _ comment: @autoclosure () -> Comment) {
        let file: JSONValue
        do {
            file = try JSONValue.parse(bytes)
        } catch {
            // Invalid JSON is one violation, whose path is its location.
            guard case .invalid(let violations, let warnings) = decoded else {
                Issue.record(comment())
                return
            }
            #expect(violations.map(\.path) == ["line \(error.line), column \(error.column)"], comment())
            #expect(warnings == [], comment())
            return
        }
        let broken = CatalogueRules.brokenPaths(in: file)
        switch decoded {
        case .valid(let catalogue, _):
            #expect(broken == [], comment())
            #expect(CatalogueRules.means(catalogue, file), comment())
        case .invalid(let violations, _):
            #expect(Set(violations.map(\.path)) == broken, comment())
            for violation in violations {
                #expect(!violation.message.isEmpty, comment())
                #expect(violation.value == shownValue(at: violation.path, in: file), "\(violation); \(comment())")
            }
        }
    }

    /// The value at a path as a violation shows it; `nil` if there is none.
    private func shownValue(at path: String, in file: JSONValue) -> String? {
        var value: JSONValue? = file
        for step in path == "the file" ? [] : path.split(separator: ".") {
            let parts = step.split { "[]".contains($0) }
            guard case .object(let object)? = value else { return nil }
            value = object[String(parts[0])]
            if parts.count > 1, case .array(let elements)? = value { value = elements[Int(parts[1]) ?? 0] }
        }
        switch value {
        case nil: return nil
        // An array element may be null; a null field counts as absent.
        case .null?: return path.hasSuffix("]") || path == "the file" ? "null" : nil
        // An empty list counts as absent.
        case .array([])? where path.hasSuffix(".variants"): return nil
        case .array?, .object?: return value?.kind.rawValue
        case let value?:
            let text = value.text
            return text.utf8.count <= 40 ? text : String(text.unicodeScalars.prefix(39)) + "…"
        }
    }
}
