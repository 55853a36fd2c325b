import Files
import Testing

@testable import RedisClient

@Suite("A Redis URL")
struct RedisURLTests {
    struct Accepted: Sendable {
        let text: String
        let url: RedisURL
        let redacted: String

        init(_ text: String, _ url: RedisURL, _ redacted: String) {
            self.text = text
            self.url = url
            self.redacted = redacted
        }
    }

    static func tcp(_ host: String, _ port: Int = 6379, user: String? = nil, password: String? = nil, db: Int = 0)
        -> RedisURL
    {
        RedisURL(address: .tcp(host: host, port: port), user: user, password: password, database: db)
    }

    static func unix(_ path: String, user: String? = nil, password: String? = nil, db: Int = 0) -> RedisURL {
        RedisURL(address: .unixSocket(path: path), user: user, password: password, database: db)
    }

    /// Two texts with a byte between them that is not UTF-8.
    private static func odd(_ start: String, _ end: String) -> String {
        FilePath.text(Array(start.utf8) + [0xE9] + Array(end.utf8))
    }

    static let accepted = [
        Accepted("redis://localhost", tcp("localhost"), "redis://localhost:6379/0"),
        Accepted("REDIS://localhost:7000/", tcp("localhost", 7000), "redis://localhost:7000/0"),
        Accepted("redis://h:1/15", tcp("h", 1, db: 15), "redis://h:1/15"),
        Accepted("redis://h?db=3", tcp("h", db: 3), "redis://h:6379/3"),
        Accepted("redis://h:", tcp("h"), "redis://h:6379/0"),
        Accepted("redis://[::1]:7/2", tcp("::1", 7, db: 2), "redis://[::1]:7/2"),
        Accepted("redis://[fe80::1%25eth0]", tcp("fe80::1%eth0"), "redis://[fe80::1%eth0]:6379/0"),
        Accepted("redis://:secret@h", tcp("h", password: "secret"), "redis://:***@h:6379/0"),
        Accepted("redis://me:secret@h:1", tcp("h", 1, user: "me", password: "secret"), "redis://me:***@h:1/0"),
        Accepted(
            "redis://m%3Ae:s%2Fe%40c%25@h", tcp("h", user: "m:e", password: "s/e@c%"), "redis://m%3Ae:***@h:6379/0"),
        Accepted("redis://me:a:b@c@h", tcp("h", user: "me", password: "a:b@c"), "redis://me:***@h:6379/0"),
        Accepted("redis://me:p%C3%A4ss@h", tcp("h", user: "me", password: "päss"), "redis://me:***@h:6379/0"),
        Accepted("unix:///run/redis.sock", unix("/run/redis.sock"), "unix:///run/redis.sock"),
        Accepted("unix:///Lager-%E9/s", unix(odd("/Lager-", "/s")), "unix:///Lager-%E9/s"),
        Accepted(
            odd("unix:///Lager-", "/s"),
            unix(odd("/Lager-", "/s")), "unix:///Lager-%E9/s"),
        Accepted("unix:///run/a%20b?db=4", unix("/run/a b", db: 4), "unix:///run/a%20b?db=4"),
        Accepted(
            "unix:///s?user=me&password=se%26cret&db=1", unix("/s", user: "me", password: "se&cret", db: 1),
            "unix:///s?db=1&user=me&password=***"),
    ]

    @Test("is read, and shown without its password", arguments: accepted)
    func isRead(_ example: Accepted) throws {
        let url = try RedisURL(example.text)
        #expect(url == example.url)
        #expect(url.redacted == example.redacted)
        #expect("\(url)" == example.redacted)
        #expect(String(reflecting: url) == example.redacted)
    }

    @Test(
        "that is invalid is rejected with the reason",
        arguments: [
            ("", "does not begin with"), ("localhost:6379", "does not begin with"), ("http://h", "does not begin with"),
            ("redis:/h", "does not begin with"), ("redis://", "names no host"), ("redis:///1", "names no host"),
            ("redis://:1", "names no host"), ("redis://me:p@", "names no host"), ("redis://h:0", "1 to 65535"),
            ("redis://h:65536", "1 to 65535"), ("redis://h:12x", "1 to 65535"), ("redis://h:+1", "1 to 65535"),
            ("redis://h:99999999999999999999", "1 to 65535"), ("redis://::1", "needs brackets"),
            ("redis://[::1", "lacks its ]"), ("redis://[h]", "not an IPv6"), ("redis://[::1]x", "not an IPv6"),
            ("redis://h/x", "database is not a number"), ("redis://h/-1", "database is not a number"),
            ("redis://h/1/2", "database is not a number"),
            ("redis://h/99999999999999999999", "database is not a number"),
            ("redis://h/1?db=1", "database twice"), ("redis://h?db=1&db=2", "db twice"), ("redis://h?db=", "is empty"),
            ("redis://h?timeout=1", "may only have db="), ("redis://h?db", "may only have db="),
            ("redis://secret@h", "user without a password"), ("redis://me:@h", "password is empty"),
            ("redis://me:%zz@h", "the password has a %"), ("redis://me:%4@h", "the password has a %"),
            ("redis://h%", "the host has a %"), ("redis://me:%ff@h", "not UTF-8"),
            ("unix:///s?password=%ff", "not UTF-8"),
            (odd("redis://me:", "@h"), "not UTF-8"),
            ("redis://me:%00@h", "control character"),
            ("redis://me:a b@h", "a space"), ("redis://h\n", "a space"), ("redis://h#1", "contains #"),
            ("unix://", "three slashes"), ("unix:///", "three slashes"), ("unix://run/s", "three slashes"),
            ("unix:///s?user=me", "user without a password"), ("unix:///s?db=x", "not a number"),
            ("unix:///" + String(repeating: "x", count: 107), "longer than 107 bytes"),
            ("unix:///" + String(repeating: "%E9", count: 107), "longer than 107 bytes"),
        ])
    func isRefused(_ text: String, _ reason: String) {
        #expect {
            try RedisURL(text)
        } throws: { error in
            guard case RedisError.invalidURL(let detail) = error else { return false }
            return detail.contains(reason) && "\(error)".hasPrefix("cannot use the Redis URL: ")
        }
    }

    /// Every place where a password ends up when a character is missing or misplaced.
    @Test(
        "that is invalid never shows a possible password",
        arguments: [
            "redis://hunter2@h", "redis://me:hunter2", "redis://me:hunter2%@h", "redis://me:x/hunter2@h",
            "redis://me:x?hunter2@h", "redis://me:hunter2 @h", "redis://me:x#hunter2@h", "me:hunter2@h",
            "redis://[hunter2@h", "redis://me:hunter2@h:port", "redis://h?password=hunter2", "unix://me:hunter2@h/s",
            "unix:///s?password=hunter2&pass=hunter2", "redis://me:x@h/hunter2", "hunter2://h",
            "redis://me:%68unter2@h/x",
        ])
    func errorsAreDiscreet(_ text: String) {
        #expect {
            try RedisURL(text)
        } throws: { error in
            !"\(error)".contains("hunter2")
        }
    }

    @Test("of a path needs no escapes")
    func path() {
        #expect(RedisURL(unixSocket: "/a b%?", database: 2) == Self.unix("/a b%?", db: 2))
        #expect(RedisURL(unixSocket: "/a b%?").redacted == "unix:///a%20b%25%3F")
    }

    @Test("with TLS depends on the build")
    func tls() throws {
        #if TLS
            let url = try RedisURL("rediss://:p@h")
            #expect(url == RedisURL(address: .tcp(host: "h", port: 6379), usesTLS: true, password: "p"))
            #expect(url.redacted == "rediss://:***@h:6379/0")
        #else
            #expect {
                try RedisURL("rediss://h")
            } throws: { error in
                "\(error)".contains("this build has no TLS: build with the TLS trait")
            }
        #endif
    }
}
