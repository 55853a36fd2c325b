import Files
import TextEncodings

/// Parses the text of a Redis URL. Messages name the wrong part and never quote it: with one character misplaced (a `/`
/// in a password, a missing `@`) any part of the text may be the password.
struct RedisURLText {
    private let scheme: String
    /// Between `://` and the first `/` or `?`.
    private let authority: Substring
    /// From the first `/` up to `?`.
    private let path: Substring
    /// After `?`.
    private let query: Substring?

    init(_ text: String) throws {
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
            throw Self.invalid("it contains a space or a control character")
        }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw Self.invalid("it does not begin with redis://, rediss:// or unix://")
        }
        scheme = text[..<colon].lowercased()
        let rest = text[text.index(colon, offsetBy: 3)...]
        guard !rest.contains("#") else { throw Self.invalid("it contains # (write %23)") }
        let question = rest.firstIndex(of: "?")
        let hierarchy = rest[..<(question ?? rest.endIndex)]
        query = question.map { rest[rest.index(after: $0)...] }
        let slash = hierarchy.firstIndex(of: "/") ?? hierarchy.endIndex
        authority = hierarchy[..<slash]
        path = hierarchy[slash...]
    }

    func url() throws -> RedisURL {
        switch scheme {
        case "redis": return try tcp(usesTLS: false)
        case "rediss":
            #if TLS
                return try tcp(usesTLS: true)
            #else
                throw Self.invalid("rediss:// needs TLS, and this build has no TLS: build with the TLS trait")
            #endif
        case "unix": return try unixSocket()
        default: throw Self.invalid("it does not begin with redis://, rediss:// or unix://")
        }
    }

    private func tcp(usesTLS: Bool) throws -> RedisURL {
        let parameters = try parameters(allowed: ["db"])
        let (user, password) = try credentials()
        let (host, port) = try hostAndPort()
        let inPath = path.dropFirst()
        var database = 0
        if !inPath.isEmpty {
            guard parameters["db"] == nil else { throw Self.invalid("it gives a database twice") }
            database = try Self.database(String(inPath))
        } else if let text = parameters["db"] {
            database = try Self.database(text)
        }
        return RedisURL(
            address: .tcp(host: host, port: port), usesTLS: usesTLS, user: user, password: password, database: database)
    }

    private func unixSocket() throws -> RedisURL {
        guard authority.isEmpty, path.count > 1 else {
            throw Self.invalid("a socket's absolute path must follow unix:// (three slashes in all)")
        }
        let file = try Self.decodedBytes(path, "the path")
        guard file.count <= RedisURL.maximumSocketPathBytes else {
            throw Self.invalid(
                "the socket's path is longer than \(RedisURL.maximumSocketPathBytes) bytes, the limit of the system")
        }
        let parameters = try parameters(allowed: ["db", "user", "password"])
        if parameters["user"] != nil, parameters["password"] == nil {
            throw Self.invalid("it has a user without a password")
        }
        return RedisURL(
            address: .unixSocket(path: FilePath.text(file)), user: parameters["user"], password: parameters["password"],
            database: try parameters["db"].map(Self.database) ?? 0)
    }

    /// A user without a password is refused rather than interpreted: some programs take it for the password.
    private func credentials() throws -> (user: String?, password: String?) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, nil) }
        let text = authority[..<at]
        guard let colon = text.firstIndex(of: ":") else {
            throw Self.invalid("it has a user without a password (a password alone is written as :password@)")
        }
        let user = try Self.decoded(text[..<colon], "the user")
        let password = try Self.decoded(text[text.index(after: colon)...], "the password")
        guard !password.isEmpty else { throw Self.invalid("the password is empty") }
        return (user.isEmpty ? nil : user, password)
    }

    private func hostAndPort() throws -> (String, Int) {
        let start = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
        let text = authority[start...]
        let name: Substring
        var rest: Substring
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw Self.invalid("an IPv6 address lacks its ]") }
            name = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard name.contains(":"), !name.contains("["), rest.isEmpty || rest.first == ":" else {
                throw Self.invalid("the text in brackets is not an IPv6 address")
            }
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            name = text[..<colon]
            rest = text[colon...]
            guard !rest.dropFirst().contains(":") else {
                throw Self.invalid("the host or port contains a colon (an IPv6 address needs brackets)")
            }
        }
        let host = try Self.decoded(name, "the host")
        guard !host.isEmpty else { throw Self.invalid("it names no host") }
        rest = rest.dropFirst()
        if rest.isEmpty { return (host, RedisURL.defaultPort) }
        guard let port = Self.digits(rest), (1...65_535).contains(port) else {
            throw Self.invalid("the port is not a number from 1 to 65535")
        }
        return (host, port)
    }

    private func parameters(allowed: Set<String>) throws -> [String: String] {
        guard let query else { return [:] }
        var parameters: [String: String] = [:]
        for pair in query.split(separator: "&") {
            guard let equals = pair.firstIndex(of: "="), allowed.contains(String(pair[..<equals])) else {
                throw Self.invalid("after ? it may only have \(allowed.sorted().joined(separator: "=, "))=")
            }
            let name = String(pair[..<equals])
            guard parameters[name] == nil else { throw Self.invalid("it gives \(name) twice") }
            let value = try Self.decoded(pair[pair.index(after: equals)...], "the value of \(name)")
            guard !value.isEmpty else { throw Self.invalid("the value of \(name) is empty") }
            parameters[name] = value
        }
        return parameters
    }

    private static func database(_ text: String) throws -> Int {
        guard let number = digits(text[...]), number <= Int(Int32.max) else {
            throw invalid("the database is not a number")
        }
        return number
    }

    private static func digits(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ? Int(text) : nil
    }

    private static func decoded(_ text: Substring, _ part: String) throws -> String {
        guard let string = String(validating: try decodedBytes(text, part), as: UTF8.self) else {
            throw invalid("\(part) is not UTF-8")
        }
        return string
    }

    private static func decodedBytes(_ text: Substring, _ part: String) throws -> [UInt8] {
        guard let bytes = PercentEncoding.decode(FilePath.bytes(text)) else {
            throw invalid("\(part) has a % that two hexadecimal digits do not follow (write %25 for %)")
        }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw invalid("\(part) contains a control character")
        }
        return bytes
    }

    private static func invalid(_ detail: String) -> RedisError { .invalidURL(detail) }
}
