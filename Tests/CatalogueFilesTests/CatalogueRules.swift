import Domain
import StrictJSON

/// An independent implementation of the catalogue file's rules: the paths of violations, and the catalogue that a valid
/// file must be read as.
enum CatalogueRules {
    static func brokenPaths(in file: JSONValue) -> Set<String> {
        guard case .object(let object) = file else { return ["the file"] }
        var broken: Set<String> = []
        var categories: [[UInt8]]? = nil
        if let elements = list(object["categories"]) {
            let texts = elements.map { text($0).map { Array($0.utf8) } }
            for (index, category) in texts.enumerated() {
                let isFirst = texts.firstIndex(of: category) == index
                if category == nil || category == [] || category?.contains(0) == true || !isFirst {
                    broken.insert("categories[\(index)]")
                }
            }
            if texts.allSatisfy({ $0 != nil && $0 != [] && $0?.contains(0) == false }) {
                categories = texts.compactMap { $0 }
            }
        } else {
            broken.insert("categories")
        }
        guard let products = list(object["products"]) else { return broken.union(["products"]) }
        var productIDs: [String: [UInt8]] = [:]
        var variantIDs: [String: [UInt8]] = [:]
        for (index, product) in products.enumerated() {
            let path = "products[\(index)]"
            guard case .object(let product) = product else {
                broken.insert(path)
                continue
            }
            broken.formUnion(sharedFields(product).map { "\(path).\($0)" })
            broken.formUnion(productFields(product, categories: categories).map { "\(path).\($0)" })
            productIDs["\(path).id"] = id(product["id"])
            for (index, variant) in (list(product["variants"]) ?? []).enumerated() {
                let path = "\(path).variants[\(index)]"
                guard case .object(let variant) = variant else {
                    broken.insert(path)
                    continue
                }
                broken.formUnion(sharedFields(variant).map { "\(path).\($0)" })
                variantIDs["\(path).id"] = id(variant["id"])
            }
        }
        return broken.union(repeated(productIDs)).union(repeated(variantIDs))
    }

    /// The fields that products and variants share.
    private static func sharedFields(_ object: JSONObject) -> [String] {
        var broken: [String] = []
        if id(object["id"]) == nil { broken.append("id") }
        if text(object["name"])?.utf8.contains(0) != false || text(object["name"]) == "" { broken.append("name") }
        for field in ["description", "stripe_product_id"] where !isTextOrAbsent(object[field]) { broken.append(field) }
        if !isAbsent(object["max_quantity"]), !isInteger(object["max_quantity"], 1, 9_007_199_254_740_991) {
            broken.append("max_quantity")
        }
        for (field, kind) in [("images", JSONKind.string), ("specs", .object)] where !isAbsent(object[field]) {
            guard let elements = list(object[field]) else {
                broken.append(field)
                continue
            }
            broken += elements.indices.filter { elements[$0].kind != kind }.map { "\(field)[\($0)]" }
        }
        if !isAbsent(object["metadata"]), object["metadata"]?.kind != .object { broken.append("metadata") }
        return broken
    }

    private static func productFields(_ product: JSONObject, categories: [[UInt8]]?) -> [String] {
        var broken: [String] = []
        let category = text(product["category"]).map { Array($0.utf8) }
        if category == nil || category?.contains(0) == true { broken.append("category") }
        if let category, let categories, !categories.contains(category) { broken.append("category") }
        if !isTextOrAbsent(product["long_description"]) { broken.append("long_description") }
        if !isInteger(product["dev_status"], 0, 5) { broken.append("dev_status") }
        if !isInteger(product["base_price"], 1, 9_007_199_254_740_991) { broken.append("base_price") }
        if !isAbsent(product["requires_assembly"]), product["requires_assembly"]?.kind != .bool {
            broken.append("requires_assembly")
        }
        let variants = list(product["variants"])
        if !isAbsent(product["variants"]), variants == nil { broken.append("variants") }
        switch product["has_variants"] {
        case .bool(true)?: if (variants ?? []).isEmpty { broken.append("variants") }
        case .bool(false)?: if variants?.isEmpty == false { broken.append("has_variants") }
        default: broken.append("has_variants")
        }
        return broken
    }

    /// All ids but the first of each group of equal ids, in the order of the file.
    private static func repeated(_ ids: [String: [UInt8]]) -> [String] {
        Dictionary(grouping: ids.keys) { ids[$0] }.values.flatMap { paths in
            paths.sorted { numbers(in: $0).lexicographicallyPrecedes(numbers(in: $1)) }.dropFirst()
        }
    }

    private static func numbers(in path: String) -> [Int] { path.split { !$0.isNumber }.compactMap { Int($0) } }

    // MARK: The meaning of a valid file

    static func means(_ catalogue: Catalogue, _ file: JSONValue) -> Bool {
        guard case .object(let object) = file, let products = list(object["products"]) else { return false }
        return list(object["categories"])?.map { text($0) } == catalogue.categories
            && products.count == catalogue.products.count
            && zip(catalogue.products, products).allSatisfy { product, value in
                guard case .object(let object) = value else { return false }
                let variants = list(object["variants"]) ?? []
                return same(product.id.text, object["id"]) && same(product.name, object["name"])
                    && same(product.description, object["description"])
                    && same(product.longDescription, object["long_description"])
                    && same(product.category, object["category"])
                    && same(product.stripeProductID, object["stripe_product_id"])
                    && number(object["dev_status"]) == Int64(product.devStatus)
                    && number(object["base_price"]) == product.basePrice
                    && (number(object["max_quantity"]) == product.cap)
                    && product.requiresAssembly == (object["requires_assembly"] == .bool(true))
                    && product.images == json(object["images"]) && product.specs == json(object["specs"])
                    && product.metadata == json(object["metadata"])
                    && variants.count == product.variants.count
                    && zip(product.variants, variants).allSatisfy { means($0, $1) }
            }
    }

    private static func means(_ variant: Variant, _ value: JSONValue) -> Bool {
        guard case .object(let object) = value else { return false }
        return same(variant.id.text, object["id"]) && same(variant.name, object["name"])
            && same(variant.description, object["description"])
            && same(variant.stripeProductID, object["stripe_product_id"])
            && number(object["max_quantity"]) == variant.cap
            && variant.images == json(object["images"]) && variant.specs == json(object["specs"])
            && variant.metadata == json(object["metadata"])
    }

    private static func same(_ text: String?, _ value: JSONValue?) -> Bool {
        text.map { Array($0.utf8) } == self.text(value).map { Array($0.utf8) }
    }

    private static func json(_ value: JSONValue?) -> String? { isAbsent(value) ? nil : value?.text }

    // MARK: Kinds of values

    private static func isAbsent(_ value: JSONValue?) -> Bool { value == nil || value == .null }

    private static func text(_ value: JSONValue?) -> String? {
        if case .string(let text)? = value { text } else { nil }
    }

    private static func list(_ value: JSONValue?) -> [JSONValue]? {
        if case .array(let elements)? = value { elements } else { nil }
    }

    private static func isTextOrAbsent(_ value: JSONValue?) -> Bool {
        isAbsent(value) || text(value)?.utf8.contains(0) == false
    }

    private static func number(_ value: JSONValue?) -> Int64? {
        if case .number? = value { value.flatMap { Int64($0.text) } } else { nil }
    }

    private static func isInteger(_ value: JSONValue?, _ least: Int64, _ most: Int64) -> Bool {
        number(value).map { $0 >= least && $0 <= most } ?? false
    }

    /// The bytes of a valid id.
    private static func id(_ value: JSONValue?) -> [UInt8]? {
        guard let text = text(value), (1...255).contains(text.utf8.count) else { return nil }
        let controls = text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        return controls ? nil : Array(text.utf8)
    }
}
