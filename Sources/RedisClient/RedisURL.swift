import Files
import TextEncodings

/// The address of a server: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, or
/// `unix:///path[?db=0&user=…&password=…]`. Everything between the separators may be percent-encoded.
package struct RedisURL: Sendable, Equatable {
    enum Address: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    let address: Address
    let usesTLS: Bool
    let user: String?
    let password: String?
    let database: Int

    package static let defaultPort = 6379
    package static let maximumSocketPathBytes = FilePath.maximumSocketBytes

    /// - Throws: `RedisError.invalidURL`, which quotes nothing but the scheme.
    package init(_ text: String) throws {
        self = try RedisURLText(text).url()
    }

    /// A server on this machine. A path that is too long for the system is reported when connecting.
    package init(unixSocket path: String, database: Int = 0) {
        self.init(address: .unixSocket(path: path), database: database)
    }

    init(address: Address, usesTLS: Bool = false, user: String? = nil, password: String? = nil, database: Int = 0) {
        self.address = address
        self.usesTLS = usesTLS
        self.user = user
        self.password = password
        self.database = database
    }

    /// The URL with `***` for the password: for logs and errors.
    package var redacted: String {
        switch address {
        case .tcp(let host, let port):
            let credentials = password == nil ? "" : "\(Self.encoded(user ?? "")):***@"
            let name = host.contains(":") ? "[\(host)]" : host
            return "\(usesTLS ? "rediss" : "redis")://\(credentials)\(name):\(port)/\(database)"
        case .unixSocket(let path):
            var query: [String] = []
            if database != 0 { query.append("db=\(database)") }
            if let user { query.append("user=\(Self.encoded(user))") }
            if password != nil { query.append("password=***") }
            return "unix://\(Self.encoded(path: path))" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        }
    }

    private static func encoded(_ text: String) -> String { encoded(text.utf8) }

    /// Encodes the path byte by byte, so that the URL is printable and still names the same file.
    private static func encoded(path: String) -> String { encoded(FilePath.bytes(path)) }

    private static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        PercentEncoding.encode(bytes) { byte in
            byte > 0x20 && byte < 0x7f && !"%?#&@:".utf8.contains(byte)
        }
    }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible {
    /// Equals `redacted`, so that interpolating a URL by mistake reveals no password.
    package var description: String { redacted }
    package var debugDescription: String { redacted }
}
