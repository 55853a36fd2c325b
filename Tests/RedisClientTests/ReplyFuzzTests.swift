import Glibc
import Randomness
import Testing

@testable import RedisClient

@Suite("Random replies")
struct ReplyFuzzTests {
    /// In bytes; the largest reply here has some hundred.
    private static let unlimited = 1 << 20

    @Test("Every valid reply is parsed correctly")
    func validReplies() throws {
        try Fuzzing.rounds(2_000, of: "valid replies") { (generator: inout SeededGenerator) throws in
            let values = RandomReply.values(using: &generator)
            let sample = FuzzCase(bytes: values.flatMap { RandomReply.encoded($0) }, seed: generator.seed)
            var parsing = Parsing()
            #expect(parsing.values(sample.bytes) == values, "\(sample)")
            #expect(parsing.failure == nil, "\(sample)")
            check(sample.bytes, "\(sample)", using: &generator)
        }
    }

    @Test("Damaged, truncated and random bytes never crash, and give the same result however they are split")
    func damagedReplies() throws {
        try Fuzzing.cases(3_000, of: "damaged replies") {
            if $0.chance(10) { return RandomReply.noise(using: &$0) }
            let values = RandomReply.values(using: &$0)
            return Mutation.mutate(values.flatMap { RandomReply.encoded($0) }, with: Mutation.resp, using: &$0)
        } check: { sample, generator in
            check(sample.bytes, "\(sample)", using: &generator)
        }
    }

    @Test("A reply above the limit is rejected, however it is split, and no other is")
    func longReplies() throws {
        try Fuzzing.cases(2_000, of: "long replies") {
            RandomReply.values(using: &$0).flatMap { RandomReply.encoded($0) }
        } check: { sample, generator in
            let limit = Int.random(in: 1...100, using: &generator)
            var unlimited = Parsing(maximumReplyBytes: Self.unlimited)
            var expected: [RedisValue] = []
            for value in unlimited.values(sample.bytes) {
                if RandomReply.encoded(value).count > limit { break }
                expected.append(value)
            }
            let isShort = expected.flatMap { RandomReply.encoded($0) }.count == sample.bytes.count
            for longestPiece in [Int.max, 50, 5, 1] {
                let (values, failure) = parse(
                    sample.bytes, longestPiece: longestPiece, maximumReplyBytes: limit, using: &generator)
                #expect(values == expected, "at most \(longestPiece) at a time; \(sample)")
                #expect(
                    failure == (isShort ? nil : "a reply is longer than \(limit) bytes"),
                    "at most \(longestPiece) at a time; \(sample)")
            }
        }
    }

    @Test("The corpus is judged as its folders say", arguments: try Corpus.cases())
    func corpus(_ sample: Corpus) throws {
        var generator = SeededGenerator(seed: 1)
        let (values, failure) = check(sample.bytes, "\(sample)", using: &generator)
        switch sample.folders {
        case ["accepted"]: #expect(failure == nil && !values.isEmpty)
        case ["refused"]: #expect(failure != nil)
        case ["unfinished"]: #expect(failure == nil && values.isEmpty)
        default: Issue.record("\(sample): no such folder")
        }
    }

    @Test("The bytes that a failure prints can be read back from a corpus file")
    func corpusText() throws {
        try Fuzzing.cases(500, of: "corpus files") {
            RandomReply.noise(using: &$0)
        } check: { sample, _ in
            let text = Corpus.text(of: sample.bytes)
            #expect(Corpus.bytes(of: "# why\n\(text)\n") == sample.bytes, "\(sample)")
            #expect(Corpus.bytes(of: text + "\\q") == nil, "\(sample)")
        }
        #expect(Corpus.bytes(of: #"# é\n"# + "\n" + #"é\n"# + "\n" + #"\x23\x0a\\\t\r"#) == Array("é\n#\n\\\t\r".utf8))
    }

    @Test("Announced but missing data allocates no memory")
    func announcements() throws {
        let hostile = try Corpus.cases().filter { $0.name.hasPrefix("announces") }
        #expect(hostile.count >= 5)
        // All at once, so that nothing is freed in between.
        var parsings: [Parsing] = []
        let before = try Self.virtualMemory()
        for sample in hostile + hostile + hostile + hostile {
            var parsing = Parsing()
            #expect(parsing.values(sample.bytes) == [], "\(sample)")
            parsings.append(parsing)
        }
        // The smallest of them announces more; other tests that run at the same time need far less.
        #expect(try Self.virtualMemory() - before < 4 << 30)
        withExtendedLifetime(parsings) {}
    }

    /// Checks the properties that hold for the parsing of any bytes.
    @discardableResult
    private func check(
        _ bytes: [UInt8], _ comment: @autoclosure () -> Comment, using generator: inout SeededGenerator
    ) -> (values: [RedisValue], failure: String?) {
        var whole = Parsing(maximumReplyBytes: Self.unlimited)
        let values = whole.values(bytes)
        for longestPiece in [1, 9] {
            let cut = parse(
                bytes, longestPiece: longestPiece, maximumReplyBytes: Self.unlimited, using: &generator)
            #expect(cut.values == values, "at most \(longestPiece) at a time; \(comment())")
            #expect(cut.failure == whole.failure, "at most \(longestPiece) at a time; \(comment())")
        }
        #expect(whole.failure?.isEmpty != true, comment())
        #expect(values.allSatisfy { RandomReply.depth(of: $0) <= 8 }, comment())
        var again = Parsing(maximumReplyBytes: Self.unlimited)
        #expect(again.values(values.flatMap { RandomReply.encoded($0) }) == values, comment())
        #expect(again.failure == nil, comment())
        return (values, whole.failure)
    }

    private func parse(
        _ bytes: [UInt8], longestPiece: Int, maximumReplyBytes: Int, using generator: inout SeededGenerator
    ) -> (values: [RedisValue], failure: String?) {
        var parsing = Parsing(maximumReplyBytes: maximumReplyBytes)
        if longestPiece == .max { return (parsing.values(bytes), parsing.failure) }
        var values: [RedisValue] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...longestPiece, using: &generator))
            values += parsing.values(Array(piece))
            rest = rest[piece.endIndex...]
        }
        return (values, parsing.failure)
    }

    /// Bytes of address space: an allocation counts even if no page of it has been touched yet.
    private static func virtualMemory() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var pages = 0
        try #require(withUnsafeMutablePointer(to: &pages) { withVaList([$0]) { vfscanf(file, "%ld", $0) } } == 1)
        return pages * Int(getpagesize())
    }
}

/// Random replies, and how Redis encodes them.
enum RandomReply {
    static func values(using generator: inout SeededGenerator) -> [RedisValue] {
        (0..<Int.random(in: 1...4, using: &generator)).map { _ in value(depth: 0, using: &generator) }
    }

    /// Arrays at most 8 deep.
    private static func value(depth: Int, using generator: inout SeededGenerator) -> RedisValue {
        switch Int.random(in: 0..<(depth < 8 ? 9 : 5), using: &generator) {
        case 0: return .simple(["", "OK", "é", "a b", "a\rb", "a\nb"].randomElement(using: &generator) ?? "")
        case 1: return .error(RedisReplyError(message: generator.chance(50) ? "ERR x" : "\(generator.seed)"))
        case 2:
            return .integer(
                generator.chance(30)
                    ? [0, -1, .min, .max].randomElement(using: &generator) ?? 0
                    : .random(in: .min ... .max, using: &generator))
        case 3: return .null
        case 4: return .bulk(noise(using: &generator))
        default:
            // Wide near the root, so that most are small and some are deep.
            let count = Int.random(in: 0...(depth < 2 ? 4 : 2), using: &generator)
            return .array((0..<count).map { _ in value(depth: depth + 1, using: &generator) })
        }
    }

    static func noise(using generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...40, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
    }

    static func encoded(_ value: RedisValue) -> [UInt8] {
        switch value {
        case .null: Array("$-1\r\n".utf8)
        case .simple(let text): Array("+\(text)\r\n".utf8)
        case .error(let error): Array("-\(error.message)\r\n".utf8)
        case .integer(let number): Array(":\(number)\r\n".utf8)
        case .bulk(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap { encoded($0) }
        }
    }

    static func depth(of value: RedisValue) -> Int {
        if case .array(let elements) = value { 1 + (elements.map { depth(of: $0) }.max() ?? 0) } else { 0 }
    }
}
