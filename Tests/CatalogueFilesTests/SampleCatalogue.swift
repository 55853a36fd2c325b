import CatalogueFiles
import Domain

/// Catalogue files that differ in one respect from a valid one.
enum SampleCatalogue {
    static let product = [
        ("id", "\"p\""), ("name", "\"n\""), ("category", "\"kit\""), ("dev_status", "5"), ("base_price", "1"),
        ("has_variants", "false"),
    ]

    static func file(products: String, categories: String = #"["kit","material"]"#) -> [UInt8] {
        Array("{\"categories\":\(categories),\"products\":\(products)}".utf8)
    }

    /// Decodes one product, in which `fields` replaces the valid fields of the same keys or is appended to them.
    static func decode(product fields: String) -> CatalogueFile {
        let kept = product.filter { !fields.contains("\"\($0.0)\":") }.map { "\"\($0.0)\":\($0.1)" }
        let all = kept + (fields.isEmpty ? [] : [fields])
        return CatalogueFile.decode(file(products: "[{\(all.joined(separator: ","))}]"))
    }

    /// Decodes a product whose one variant has `fields` in addition to a name and, unless given, an id.
    static func decode(variant fields: String) -> CatalogueFile {
        let id = fields.contains("\"id\":") ? "" : "\"id\":\"v\","
        let name = fields.contains("\"name\":") ? "" : "\"name\":\"v\","
        let rest = product(withVariants: "[{\(id)\(name)\(fields)}]")
        return CatalogueFile.decode(file(products: "[\(rest)]"))
    }

    static func violations(product fields: String) -> [String] { violations(decode(product: fields)) }

    static func violations(_ file: CatalogueFile) -> [String] {
        switch file {
        case .valid: []
        case .invalid(let violations, _): violations.map(\.description)
        }
    }

    static func warnings(_ file: CatalogueFile) -> [String] {
        switch file {
        case .valid(_, let warnings), .invalid(_, let warnings): warnings.map(\.description)
        }
    }

    static func product(id: String = "p", withVariants variants: String) -> String {
        """
        {"id":"\(id)","name":"n","category":"kit","dev_status":5,"base_price":1,"has_variants":true,
         "variants":\(variants)}
        """
    }
}
