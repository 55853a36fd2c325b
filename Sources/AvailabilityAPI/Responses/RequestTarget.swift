import HTTPTypes
import Domain
import TextEncodings

/// The path and the query of a request.
struct RequestTarget {
    /// As it was sent: percent-encoded, so that a slash in an id is none between segments.
    let path: Substring
    private let query: Substring

    init(_ target: String?) {
        let target = Self.withoutAuthority(target ?? "/")
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = target[..<(mark ?? target.endIndex)]
        query = mark.map { target[target.utf8.index(after: $0)...] } ?? ""
    }

    /// A target may name scheme and host, too, as those to a proxy do (RFC 9112, 3.2.2).
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
    ///   - single: names that may be there once.
    ///   - repeated: names that may be there more than once.
    /// - Throws: `Problem` (400) for a name that is neither, so that a misspelt filter is not taken for none.
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
                    "there is no parameter \"\(name.prefix(40))\"\(known.isEmpty ? " here" : "; there are \(known)")")
            }
            values[name, default: []].append(value)
            if single.contains(name), values[name]?.count ?? 0 > 1 {
                throw Problem(.badRequest, "\(name) is there more than once")
            }
        }
        return values
    }

    /// Percent-encoded text as it is meant.
    /// - Throws: `Problem` (400) when it is not encoded right, or not UTF-8.
    static func decoded(_ text: Substring, plusIsSpace: Bool = false) throws -> String {
        // As nearly every id is.
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
    /// Product ids of one request at most.
    static let maximumProducts = 200

    /// The `product` parameters: at least one, each once, in their order.
    func products() throws -> [Identifier] {
        let values = try parameters(repeated: ["product"])["product"] ?? []
        let ids = values.map { Identifier($0) }.uniqued
        guard !ids.isEmpty else {
            throw Problem(.badRequest, "name a product: ?product=ID, up to \(Self.maximumProducts) times")
        }
        guard ids.count <= Self.maximumProducts else {
            throw Problem(.badRequest, "\(ids.count) products are named; at most \(Self.maximumProducts) may be")
        }
        return ids
    }
}
