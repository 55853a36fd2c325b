import HTTPTypes
import Domain
import TextEncodings

/// The path and the query of a request.
struct RequestTarget {
    /// The path as sent, still percent-encoded, so that a slash inside an id is not taken for a separator.
    let path: Substring
    private let query: Substring

    init(_ target: String?) {
        let target = Self.withoutAuthority(target ?? "/")
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = target[..<(mark ?? target.endIndex)]
        query = mark.map { target[target.utf8.index(after: $0)...] } ?? ""
    }

    /// A target may contain scheme and host, as requests to a proxy do (RFC 9112, 3.2.2).
    private static func withoutAuthority(_ target: String) -> Substring {
        let bytes = target.utf8
        guard bytes.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://") else { return target[...] }
        let rest = target[scheme.upperBound...]
        let start = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        return start.map { rest[$0...] } ?? "/"
    }

    var isWithoutQuery: Bool { query.isEmpty }

    /// The query's values, by name.
    /// - Parameters:
    ///   - single: names that may occur once.
    ///   - repeated: names that may occur more than once.
    /// - Throws: `Problem` (400) for any other name, so that a misspelt filter is not silently ignored.
    func parameters(single: [String] = [], repeated: [String] = []) throws -> [String: [String]] {
        var values: [String: [String]] = [:]
        for part in query.split(separator: "&") {
            let sign = part.firstIndex(of: "=")
            let name = try Self.decoded(part[..<(sign ?? part.endIndex)], plusIsSpace: true)
            let value = try sign.map { try Self.decoded(part[part.index(after: $0)...], plusIsSpace: true) } ?? ""
            guard single.contains(name) || repeated.contains(name) else {
                let known = (single + repeated).joined(separator: ", ")
                throw Problem(
                    .badRequest,
                    "unknown parameter \"\(name.prefix(40))\"; known here: \(known.isEmpty ? "none" : known)")
            }
            values[name, default: []].append(value)
            if single.contains(name), values[name]?.count ?? 0 > 1 {
                throw Problem(.badRequest, "\(name) is given more than once")
            }
        }
        return values
    }

    /// Decodes percent-encoded text.
    /// - Throws: `Problem` (400) if the encoding is invalid or the result is not UTF-8.
    static func decoded(_ text: Substring, plusIsSpace: Bool = false) throws -> String {
        // True of nearly every id.
        if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) { return String(text) }
        guard let bytes = PercentEncoding.decode(text.utf8, plusIsSpace: plusIsSpace) else {
            throw Problem(.badRequest, "\"%\" must be followed by two hexadecimal digits; \"%\" itself is %25")
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Problem(.badRequest, "the address is not UTF-8")
        }
        return decoded
    }
}

extension RequestTarget {
    /// Maximum number of product ids per request.
    static let maximumProducts = 200

    /// The values of the `product` parameters: at least one, without duplicates, in their order.
    func products() throws -> [Identifier] {
        let values = try parameters(repeated: ["product"])["product"] ?? []
        let ids = values.map { Identifier($0) }.uniqued
        guard !ids.isEmpty else {
            throw Problem(.badRequest, "name a product: ?product=ID, up to \(Self.maximumProducts) times")
        }
        guard ids.count <= Self.maximumProducts else {
            throw Problem(.badRequest, "\(ids.count) products are named; the maximum is \(Self.maximumProducts)")
        }
        return ids
    }
}
