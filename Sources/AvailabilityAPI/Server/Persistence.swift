import NIOHTTP1

/// Whether a connection is to stay open after an answer, as the request's head has it (RFC 9112, 9.3).
struct Persistence: Sendable {
    let version: HTTPVersion
    /// The client wants no further answer.
    let isAskedToEnd: Bool

    init(_ head: HTTPRequestHead) {
        version = head.version
        // Behind a request for another protocol NIO's decoder reads no further one.
        isAskedToEnd = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
    }

    private init(version: HTTPVersion, isAskedToEnd: Bool) {
        self.version = version
        self.isAskedToEnd = isAskedToEnd
    }

    /// What came could not be read, nor can what follows.
    static let unreadable = Persistence(version: .http1_1, isAskedToEnd: true)

    /// What the answer says of it (`Connection`); nil: nothing, as it stays open like every one of HTTP/1.1.
    func field(isLast: Bool) -> String? {
        if isLast { "close" } else { version == .http1_0 ? "keep-alive" : nil }
    }
}
