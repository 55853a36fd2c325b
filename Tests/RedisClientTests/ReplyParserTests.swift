import NIOCore
import Testing

@testable import RedisClient

/// A parser together with its results.
struct Parsing {
    let parser: ReplyParser
    private(set) var failure: String?

    init(maximumReplyBytes: Int = 1 << 20) {
        parser = ReplyParser(maximumReplyBytes: maximumReplyBytes)
    }

    mutating func values(_ bytes: [UInt8]) -> [RedisValue] {
        values(ByteBuffer(bytes: bytes))
    }

    mutating func values(_ buffer: ByteBuffer) -> [RedisValue] {
        var values: [RedisValue] = []
        guard failure == nil else { return [] }
        do {
            try buffer.withUnsafeReadableBytes { try parser.feed($0) }
            while let reply = try parser.next() { values.append(reply.value) }
        } catch {
            failure = (error as? ReplySyntaxError)?.detail ?? "\(error)"
        }
        return values
    }
}

@Suite("The reply parser")
struct ReplyParserTests {
    static func bulk(_ text: String) -> RedisValue { .bulk(Array(text.utf8)) }

    @Test(
        "parses every kind of reply",
        arguments: [
            ("+OK\r\n", [.simple("OK")]), ("+\r\n", [.simple("")]), (":0\r\n", [.integer(0)]),
            (":-9223372036854775808\r\n", [.integer(.min)]), (":9223372036854775807\r\n", [.integer(.max)]),
            ("$0\r\n\r\n", [.bulk([])]), ("$2\r\n\r\n\r\n", [bulk("\r\n")]), ("$-1\r\n", [.null]), ("*-1\r\n", [.null]),
            ("*0\r\n", [.array([])]), ("-ERR x y\r\n", [.error(RedisReplyError(code: "ERR", message: "ERR x y"))]),
            (
                "*3\r\n*2\r\n:1\r\n*0\r\n-E x\r\n$-1\r\n",
                [
                    .array([
                        .array([.integer(1), .array([])]), .error(RedisReplyError(code: "E", message: "E x")), .null,
                    ])
                ]
            ),
            ("*1\r\n*1\r\n*1\r\n+a\r\n+b\r\n", [.array([.array([.array([.simple("a")])])]), .simple("b")]),
            ("+a\r\n:1\r\n*1\r\n$1\r\nb\r\n+c", [.simple("a"), .integer(1), .array([bulk("b")])]),
            ("$5\r\nab", []), ("*2\r\n:1\r\n", []), ("", []), ("+", []), ("*", []),
        ] as [(String, [RedisValue])])
    func kinds(_ text: String, _ expected: [RedisValue]) {
        var parsing = Parsing()
        #expect(parsing.values(Array(text.utf8)) == expected)
        #expect(parsing.failure == nil)
        // And the same one byte at a time.
        var slow = Parsing()
        #expect(text.utf8.flatMap { slow.values([$0]) } == expected)
        #expect(slow.failure == nil)
    }

    @Test(
        "rejects everything that is not RESP2",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "\u{15}\u{3}\u{3}", ":\r\n", ":x\r\n", ":1.5\r\n",
            ":9223372036854775808\r\n",
            "$-2\r\n", "$x\r\n", "*-2\r\n", "*x\r\n", "*99999999999999999999\r\n", "%1\r\n+a\r\n+b\r\n", "~1\r\n+a\r\n",
            "#t\r\n", ",1.5\r\n", "_\r\n", "(1\r\n", ">1\r\n+a\r\n", "*1\r\n#t\r\n",
        ])
    func refusals(_ text: String) {
        var parsing = Parsing()
        #expect(parsing.values(Array(text.utf8)) == [])
        #expect(parsing.failure?.isEmpty == false)
    }

    @Test("accepts arrays 8 deep, which is more than Redis makes, and no deeper")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] { Array((String(repeating: "*1\r\n", count: depth) + ":1\r\n").utf8) }
        var parsing = Parsing()
        var expected = RedisValue.integer(1)
        for _ in 1...8 { expected = .array([expected]) }
        #expect(parsing.values(nested(8)) == [expected])
        #expect(parsing.values(nested(9)) == [])
        #expect(parsing.failure?.contains("nest") == true)
    }

    @Test("rejects a reply that is too long, and only that")
    func tooLong() {
        var parsing = Parsing(maximumReplyBytes: 1_000)
        let replies = String(repeating: "$3\r\nabc\r\n", count: 1_000)
        #expect(parsing.values(Array(replies.utf8)).count == 1_000)
        #expect(parsing.values(Array("$2000\r\n".utf8) + [UInt8](repeating: 0, count: 900)) == [])
        #expect(parsing.failure == nil)
        #expect(parsing.values([UInt8](repeating: 0, count: 200)) == [])
        #expect(parsing.failure == "a reply is longer than 1000 bytes")
    }

    @Test(
        "allocates nothing for announced data",
        arguments: ["*2147483647\r\n", "$536870912\r\n", "*1000000000\r\n"])
    func announcements(_ text: String) {
        var parsing = Parsing()
        #expect(parsing.values(Array(text.utf8)) == [])
    }
}
