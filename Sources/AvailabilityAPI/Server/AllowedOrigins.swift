import HTTPTypes
import Hummingbird
import NIOHTTP1
import NIOHTTPTypes

/// The origins whose pages may read responses (`http_allow_origin`).
package enum AllowedOrigins: Sendable, Equatable {
    case none
    case all
    case some([String])

    /// The access that a response grants to a page of another origin.
    struct Access: Hashable {
        /// The value of `Access-Control-Allow-Origin`; nil if the origin has no access.
        var origin: String?
        /// Whether the response depends on the origin, so that caches must keep one response per origin.
        var varies: Bool

        func mark(_ fields: inout HTTPFields, isPreflight: Bool) {
            if varies { fields[values: .vary].append("Origin") }
            guard let origin else { return }
            fields[.accessControlAllowOrigin] = origin
            if isPreflight {
                fields[.accessControlAllowMethods] = fields[.allow]
                fields[.accessControlAllowHeaders] = "Content-Type, If-None-Match, Last-Event-ID"
                fields[.accessControlMaxAge] = "600"
            } else {
                fields[.accessControlExposeHeaders] = "ETag, Retry-After"
            }
        }
    }

    /// - Parameter origin: the requesting page's origin; nil if the request has none.
    func access(for origin: String?) -> Access {
        switch self {
        case .none: Access(origin: nil, varies: false)
        case .all: Access(origin: "*", varies: false)
        case .some(let origins): Access(origin: origin.flatMap { origins.contains($0) ? $0 : nil }, varies: true)
        }
    }
}
