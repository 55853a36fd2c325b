import NIOHTTP1

/// Whether a connection stays open after a response, according to the request's head (RFC 9112, 9.3).
struct Persistence: Sendable {
    let version: HTTPVersion
    /// The client wants no further response.
    let isAskedToEnd: Bool

    init(_ head: HTTPRequestHead) {
        version = head.version
        // After a request to switch protocols NIO's decoder parses no further request.
        isAskedToEnd = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
    }

    private init(version: HTTPVersion, isAskedToEnd: Bool) {
        self.version = version
        self.isAskedToEnd = isAskedToEnd
    }

    /// The request could not be parsed, nor can anything that follows it.
    static let unreadable = Persistence(version: .http1_1, isAskedToEnd: true)

    /// The value of the response's `Connection` field; nil if the connection stays open by default, as in HTTP/1.1.
    func field(isLast: Bool) -> String? {
        if isLast { "close" } else { version == .http1_0 ? "keep-alive" : nil }
    }
}
