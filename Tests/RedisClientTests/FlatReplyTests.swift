import Testing

@testable import RedisClient

@Suite("A flat reply")
struct FlatReplyTests {
    private static func reply(_ text: String) throws -> FlatReply {
        let parser = ReplyParser(maximumReplyBytes: 1 << 20)
        try Array(text.utf8).withUnsafeBytes { try parser.feed($0) }
        return try #require(try parser.next())
    }

    @Test("is walked value by value, with any values in between")
    func walked() throws {
        let reply = try Self.reply("*5\r\n$1\r\na\r\n*2\r\n:1\r\n*1\r\n$1\r\nb\r\n*0\r\n*-1\r\n$2\r\ncd\r\n")
        var walk = reply.walk()
        #expect(walk.array() == 5)
        #expect(walk.text() == "a")
        walk.skip()
        #expect(walk.array() == 0)
        #expect(walk.array() == nil)
        #expect(walk.string().map { Array(reply.bytes[$0]) } == Array("cd".utf8))
        #expect(walk.array() == nil && walk.string() == nil && walk.text() == nil)
    }

    @Test("skips a value of a type other than requested, with all of its elements")
    func notThere() throws {
        var walk = try Self.reply("*4\r\n*2\r\n$1\r\na\r\n:1\r\n:2\r\n+b\r\n$1\r\nc\r\n").walk()
        #expect(walk.array() == 4)
        #expect(walk.string() == nil)
        #expect(walk.array() == nil)
        #expect(walk.text() == nil)
        #expect(walk.text() == "c")
    }

    @Test("returns no text for bytes that are not UTF-8, but the bytes")
    func notText() throws {
        let parser = ReplyParser(maximumReplyBytes: 100)
        try (Array("$1\r\n".utf8) + [0xFF, 13, 10]).withUnsafeBytes { try parser.feed($0) }
        let reply = try #require(try parser.next())
        var (text, string) = (reply.walk(), reply.walk())
        #expect(text.text() == nil)
        #expect(string.string().map { Array(reply.bytes[$0]) } == [0xFF])
    }

    @Test("is an error only as a whole")
    func errors() throws {
        #expect(try Self.reply("-ERR no\r\n").error == RedisReplyError(message: "ERR no"))
        #expect(try Self.reply("*1\r\n-ERR no\r\n").error == nil)
        #expect(try Self.reply("*-1\r\n").isNull && !Self.reply("*0\r\n").isNull)
    }

    @Test("uses at most an eighth more memory than a large reply needs")
    func room() throws {
        let bytes = try Self.reply("*1\r\n$\(70_000)\r\n\(String(repeating: "x", count: 70_000))\r\n").bytes
        #expect(bytes.count == 70_000 && bytes.capacity <= 70_000 + 70_000 / 8)
    }
}
