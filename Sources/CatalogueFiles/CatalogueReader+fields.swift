import Spelling
import StrictJSON

/// The path of a value in a catalogue file, formatted only when it is reported.
struct CataloguePath: CustomStringConvertible {
    var product: Int?
    var variant: Int?
    var field: String?
    /// The index of an element of `field`.
    var index: Int?

    func field(_ field: String, index: Int? = nil) -> CataloguePath {
        CataloguePath(product: product, variant: variant, field: field, index: index)
    }

    var description: String {
        var parts: [String] = []
        if let product { parts.append("products[\(product)]") }
        if let variant { parts.append("variants[\(variant)]") }
        if let field { parts.append(index.map { "\(field)[\($0)]" } ?? field) }
        return parts.isEmpty ? "the file" : parts.joined(separator: ".")
    }
}

extension CatalogueReader {
    /// Returns the value of a field, or nil if it is absent or null, which mean the same.
    func value(_ field: String, of object: JSONObject) -> JSONValue? {
        let value = object[field]
        return value == .null ? nil : value
    }

    mutating func text(
        _ field: String, of object: JSONObject, at path: CataloguePath, isRequired: Bool = false,
        allowsNUL: Bool = false
    ) -> String? {
        guard let value = value(field, of: object, at: path, isRequired: isRequired, "a string") else { return nil }
        guard case .string(let text) = value else {
            violate(path.field(field), value, "must be a string\(isRequired ? "" : ", or null")")
            return nil
        }
        // SQLite's shell and its functions treat U+0000 as the end of a string.
        if !allowsNUL, text.utf8.contains(0) { violate(path.field(field), value, "must not contain U+0000") }
        return text
    }

    mutating func bool(
        _ field: String, of object: JSONObject, at path: CataloguePath, isRequired: Bool
    ) -> Bool? {
        guard let value = value(field, of: object, at: path, isRequired: isRequired, "true or false") else {
            return nil
        }
        guard case .bool(let bool) = value else {
            violate(path.field(field), value, "must be true or false")
            return nil
        }
        return bool
    }

    /// Reads a number written as an integer: 2.0 and 2e3 are refused, as they are in messages.
    mutating func integer(
        _ field: String, of object: JSONObject, at path: CataloguePath, in range: ClosedRange<Int64>,
        isRequired: Bool, hint: String = ""
    ) -> Int64? {
        var wanted: String { "an integer from \(range.lowerBound) to \(range.upperBound)\(hint)" }
        guard let value = value(field, of: object, at: path, isRequired: isRequired, wanted) else { return nil }
        guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
            violate(path.field(field), value, "must be \(wanted)")
            return nil
        }
        return integer
    }

    mutating func array(
        _ field: String, of object: JSONObject, at path: CataloguePath, isRequired: Bool
    ) -> [JSONValue]? {
        guard let value = value(field, of: object, at: path, isRequired: isRequired, "a list") else { return nil }
        guard case .array(let elements) = value else {
            violate(path.field(field), value, "must be a list")
            return nil
        }
        return elements
    }

    /// Reads an array whose elements are all of one kind, as JSON text.
    mutating func json(
        _ field: String, of object: JSONObject, at path: CataloguePath, arrayOf kind: JSONKind
    ) -> String? {
        guard let elements = array(field, of: object, at: path, isRequired: false) else { return nil }
        for (index, element) in elements.enumerated() where element.kind != kind {
            violate(path.field(field, index: index), element, "must be \(kind.rawValue)")
        }
        return JSONValue.array(elements).text
    }

    private mutating func value(
        _ field: String, of object: JSONObject, at path: CataloguePath, isRequired: Bool,
        _ wanted: @autoclosure () -> String
    ) -> JSONValue? {
        let value = value(field, of: object)
        if value == nil, isRequired { violate(path.field(field), nil, "missing; write \(wanted())") }
        return value
    }

    mutating func warnOfUnknownKeys(in object: JSONObject, known: [String], at path: CataloguePath) {
        for member in object.members where !known.contains(where: { $0.utf8.elementsEqual(member.key.utf8) }) {
            let absent = known.filter { object[$0] == nil }
            let meant = SpellingSuggestion.closest(to: member.key, among: absent)
            warn(
                path.field(Self.shown(key: member.key)),
                "unknown key, ignored" + (meant.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    /// Formats a value for a message.
    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .array, .object: value.kind.rawValue
        default: shortened(value.text)
        }
    }

    /// Formats a key for a path: unchanged if it is a plain word, otherwise as JSON, which escapes control characters.
    private static func shown(key: String) -> String {
        let isPlain = !key.isEmpty && key.utf8.allSatisfy { 0x21..<0x7F ~= $0 && $0 != UInt8(ascii: ".") }
        return shortened(isPlain ? key : JSONValue.string(key).text)
    }

    private static func shortened(_ text: String) -> String {
        let limit = 40
        return text.utf8.count <= limit ? text : String(text.unicodeScalars.prefix(limit - 1)) + "…"
    }
}
