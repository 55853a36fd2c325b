import HTTPTypes
import Hummingbird
import WebAssets

/// Routes that serve embedded files unchanged.
enum PageRoute {
    /// Allows nothing from other origins except images, which the catalogue may host anywhere, and no inline scripts or
    /// styles.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    static func page(_ path: String, _ page: WebAsset) -> Route {
        route(path, page, isShared: false, more: [.contentSecurityPolicy: policy, .referrerPolicy: "no-referrer"])
    }

    static func file(_ path: String, _ page: WebAsset, isShared: Bool = false) -> Route {
        route(path, page, isShared: isShared, more: [:])
    }

    private static func route(_ path: String, _ page: WebAsset, isShared: Bool, more: HTTPFields) -> Route {
        let body = ByteBuffer(bytes: page.bytes)
        let tag = "\"\(String(AvailabilityResponse.fingerprint(body.readableBytesView), radix: 16))\""
        var headers = more
        headers[.eTag] = tag
        // Revalidated each time: a different version of the program has a different page.
        headers[.cacheControl] = "no-cache"
        return Route(path, isShared: isShared) { [headers] request, _, _ in
            if let known = request.headers[.ifNoneMatch], AvailabilityResponse.matches(known, tag) {
                return Response(status: .notModified, headers: headers)
            }
            var headers = headers
            headers[.contentType] = page.mediaType
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
        }
    }
}

extension HTTPField.Name {
    // This constant name is valid.
    // swift-format-ignore: NeverForceUnwrap
    fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
