import Domain
import Spelling
import StrictJSON

/// Reads a catalogue from its JSON tree and collects every violation instead of stopping at the first.
///
/// A placeholder replaces an invalid value, so that the rest is still checked; the catalogue is usable only if there
/// are no violations.
struct CatalogueReader {
    private(set) var violations: [CatalogueIssue] = []
    private(set) var warnings: [CatalogueIssue] = []

    /// The listed categories, compared byte by byte, as SQLite compares them. nil if the file's list is unusable.
    private var categories: Set<Identifier>?
    private var paths: [CounterName: CataloguePath] = [:]
    /// The first of each group of ids that look alike. The keys are compared as `String`, by canonical equivalence,
    /// however an accent is composed.
    private var looks: [CapLevel: [String: Identifier]] = [:]
    private var alike = 0

    /// The maximum number of ids reported as looking like another id; real catalogues have hundreds, intentionally or
    /// not.
    private static let namedAlike = 20

    private static let fileKeys = ["categories", "products"]
    private static let productKeys = [
        "id", "name", "description", "long_description", "category", "dev_status", "base_price", "stripe_product_id",
        "has_variants", "requires_assembly", "max_quantity", "images", "specs", "metadata", "variants",
    ]
    private static let variantKeys = [
        "id", "name", "description", "stripe_product_id", "max_quantity", "images", "specs", "metadata",
    ]

    mutating func catalogue(_ value: JSONValue) -> Catalogue {
        guard case .object(let file) = value else {
            violate(CataloguePath(), value, "must be an object with categories and products")
            return Catalogue(categories: [], products: [])
        }
        warnOfUnknownKeys(in: file, known: Self.fileKeys, at: CataloguePath())
        let categories = categories(file)
        guard let elements = array("products", of: file, at: CataloguePath(), isRequired: true) else {
            return Catalogue(categories: categories, products: [])
        }
        if elements.isEmpty {
            warn(CataloguePath(field: "products"), "is empty: every product of the ledger will be closed")
        }
        var products: [Product] = []
        products.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            let path = CataloguePath(product: index)
            if case .object(let object) = element {
                products.append(product(object, at: path))
            } else {
                violate(path, element, "must be an object")
            }
        }
        if alike > Self.namedAlike {
            warn(CataloguePath(field: "products"), "\(alike - Self.namedAlike) more ids look like another id")
        }
        return Catalogue(categories: categories, products: products)
    }

    private mutating func categories(_ file: JSONObject) -> [String] {
        guard let elements = array("categories", of: file, at: CataloguePath(), isRequired: true) else { return [] }
        var names: [String] = []
        var known: Set<Identifier> = []
        var isUsable = true
        for (index, element) in elements.enumerated() {
            let path = CataloguePath(field: "categories", index: index)
            guard case .string(let name) = element, !name.isEmpty, !name.utf8.contains(0) else {
                violate(path, element, "must be a non-empty string without U+0000")
                isUsable = false
                continue
            }
            if !known.insert(Identifier(name)).inserted {
                violate(path, element, "must be listed only once")
            }
            names.append(name)
        }
        // One unreadable category would turn every product in it into a violation.
        if isUsable { categories = known }
        return names
    }

    private mutating func product(_ object: JSONObject, at path: CataloguePath) -> Product {
        warnOfUnknownKeys(in: object, known: Self.productKeys, at: path)
        var product = Product(
            id: identifier(of: object, .product, at: path),
            name: name(of: object, at: path),
            description: text("description", of: object, at: path),
            longDescription: text("long_description", of: object, at: path),
            category: category(of: object, at: path),
            devStatus: Int(integer("dev_status", of: object, at: path, in: 0...5, isRequired: true) ?? 0),
            basePrice: integer(
                "base_price", of: object, at: path, in: 1...Limit.exactInteger, isRequired: true,
                hint: " (minor units: 99500 is 995.00)") ?? 1,
            stripeProductID: text("stripe_product_id", of: object, at: path),
            requiresAssembly: bool("requires_assembly", of: object, at: path, isRequired: false) ?? false,
            cap: cap(of: object, at: path),
            images: json("images", of: object, at: path, arrayOf: .string),
            specs: json("specs", of: object, at: path, arrayOf: .object),
            metadata: metadata(of: object, at: path))
        product.variants = variants(of: object, at: path, cap: product.cap)
        return product
    }

    private mutating func variants(of object: JSONObject, at path: CataloguePath, cap: Int64?) -> [Variant] {
        let hasVariants = bool("has_variants", of: object, at: path, isRequired: true)
        let elements = array("variants", of: object, at: path, isRequired: false) ?? []
        if hasVariants == true, elements.isEmpty, isAbsentOrArray(object["variants"]) {
            violate(
                path.field("variants"), nil,
                "must not be empty or missing where has_variants is true; "
                    + "list them, or write false")
        }
        if hasVariants == false, !elements.isEmpty {
            violate(path.field("has_variants"), object["has_variants"], "must be true where there are variants")
        }
        var variants: [Variant] = []
        for (index, element) in elements.enumerated() {
            var path = path
            path.variant = index
            guard case .object(let object) = element else {
                violate(path, element, "must be an object")
                continue
            }
            let variant = variant(object, at: path)
            if let own = variant.cap, let cap, own > cap {
                warn(path.field("max_quantity"), "\(own) can never be sold: the product's max_quantity is \(cap)")
            }
            variants.append(variant)
        }
        return variants
    }

    private mutating func variant(_ object: JSONObject, at path: CataloguePath) -> Variant {
        warnOfUnknownKeys(in: object, known: Self.variantKeys, at: path)
        return Variant(
            id: identifier(of: object, .variant, at: path),
            name: name(of: object, at: path),
            description: text("description", of: object, at: path),
            stripeProductID: text("stripe_product_id", of: object, at: path),
            cap: cap(of: object, at: path),
            images: json("images", of: object, at: path, arrayOf: .string),
            specs: json("specs", of: object, at: path, arrayOf: .object),
            metadata: metadata(of: object, at: path))
    }

    // MARK: Fields with specific rules

    private mutating func identifier(of object: JSONObject, _ level: CapLevel, at path: CataloguePath) -> Identifier {
        guard let text = text("id", of: object, at: path, isRequired: true, allowsNUL: true) else { return "" }
        let id = Identifier(text)
        if let violation = Identifier.violation(in: text) {
            violate(
                path.field("id"), object["id"],
                "an id has 1 to \(Identifier.maximumBytes) bytes and no control characters, and this one \(violation)")
            return id
        }
        if let first = paths.updateValue(path, forKey: CounterName(level, id)) {
            paths[CounterName(level, id)] = first
            violate(path.field("id"), object["id"], "must be unique, and \(first) has it too")
        } else {
            warnOfLook(id, level, at: path)
        }
        return id
    }

    /// Warns of an id that looks like another one: ids are compared byte by byte, but people and other programs often
    /// compare them differently.
    private mutating func warnOfLook(_ id: Identifier, _ level: CapLevel, at path: CataloguePath) {
        let check = id.text.lowercased().trimmingBlanks
        if let other = looks[level]?[check] {
            alike += 1
            guard alike <= Self.namedAlike else { return }
            warn(
                path.field("id"),
                "\"\(id)\" is a different \(level.rawValue) from \"\(other)\", and differs only in case, leading or trailing blanks, or how a letter is composed"
            )
        } else {
            looks[level, default: [:]][check] = id
        }
        if level == .product, id.text == "." || id.text == ".." {
            warn(
                path.field("id"),
                "\"\(id)\" cannot be requested as /v1/products/\(id): clients remove it from URLs")
        }
    }

    private mutating func name(of object: JSONObject, at path: CataloguePath) -> String {
        guard let name = text("name", of: object, at: path, isRequired: true) else { return "" }
        if name.isEmpty { violate(path.field("name"), object["name"], "must not be empty") }
        return name
    }

    private mutating func category(of object: JSONObject, at path: CataloguePath) -> String {
        guard let category = text("category", of: object, at: path, isRequired: true) else { return "" }
        if let categories, !categories.contains(Identifier(category)) {
            let meant = SpellingSuggestion.closest(to: category, among: categories.map(\.text).sorted())
            violate(
                path.field("category"), object["category"],
                "must be one of categories" + (meant.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
        return category
    }

    private mutating func cap(of object: JSONObject, at path: CataloguePath) -> Int64? {
        integer(
            "max_quantity", of: object, at: path, in: 1...Limit.exactInteger, isRequired: false,
            hint: ", or null for unlimited (remove what is no longer sold from the file)")
    }

    private mutating func metadata(of object: JSONObject, at path: CataloguePath) -> String? {
        guard let value = value("metadata", of: object) else { return nil }
        guard value.kind == .object else {
            violate(path.field("metadata"), value, "must be an object, or null")
            return nil
        }
        return value.text
    }

    private func isAbsentOrArray(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null, .array: true
        default: false
        }
    }

    // MARK: Reporting, used by the other files

    mutating func violate(_ path: CataloguePath, _ value: JSONValue?, _ message: String) {
        violations.append(CatalogueIssue(path.description, value: value.map(Self.shown), message))
    }

    mutating func warn(_ path: CataloguePath, _ message: String) {
        warnings.append(CatalogueIssue(path.description, message))
    }
}

extension String {
    /// The string without leading and trailing whitespace of any kind.
    fileprivate var trimmingBlanks: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
