import StrictJSON
import Testing

@Suite("Parsing JSON")
struct JSONParsingTests {
    @Test(
        "Everything that RFC 8259 allows is accepted",
        arguments: [
            ("null", JSONValue.null), (" true\r\n", .bool(true)), ("\tfalse", .bool(false)),
            ("0", .number(JSONNumber(0))), ("-12", .number(JSONNumber(-12))),
            (#""""#, .string("")), (#""a""#, .string("a")), ("[]", .array([])), ("[ ]", .array([])),
            ("{}", .object(JSONObject())), ("[1 , [2],{ }]", .array([.one, .array([.two]), .object(JSONObject())])),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
            (#""\u0041\u00e9\u20AC\ud83d\ude00\u0000""#, .string("Aé€😀\u{0}")),
            ("\"é\u{7F}\u{2028}😀\"", .string("é\u{7F}\u{2028}😀")),
        ] as [(String, JSONValue)])
    func accepts(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(Array(text.utf8)) == value)
    }

    @Test(
        "Numbers keep their text",
        arguments: [
            "0", "-0", "1.50", "1e5", "1E+05", "-0.0e-0", "9007199254740993", "1234567890123456789012345678901",
        ])
    func numbers(text: String) throws {
        let value = try JSONValue.parse(Array(text.utf8))
        #expect(value.text == text)
    }

    @Test(
        "Only a number written as an integer is an integer",
        arguments: [
            ("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("2.0", nil), ("1e3", nil), ("1E0", nil),
        ] as [(String, Int64?)])
    func integers(text: String, integer: Int64?) throws {
        guard case .number(let number) = try JSONValue.parse(Array(text.utf8)) else {
            Issue.record("not a number")
            return
        }
        #expect(number.integer == integer)
        #expect(number.isInteger == !text.utf8.contains { ".eE".utf8.contains($0) })
    }

    @Test(
        "Invalid JSON is rejected with its location",
        arguments: [
            ("", 0, "expected a value, found the end"),
            ("  ", 2, "expected a value, found the end"),
            ("nul", 0, "expected a value, found a letter"),
            ("not json", 0, "expected a value, found a letter"),
            ("[trye]", 1, "expected a value, found a letter"),
            ("True", 0, "expected a value, found a letter"),
            ("'a'", 0, "expected a value, found '"),
            ("NaN", 0, "expected a value, found a letter"),
            ("// no\n1", 0, "expected a value, found /"),
            ("1 2", 2, "expected nothing more, found a digit"),
            ("{}x", 2, "expected nothing more, found a letter"),
            ("01", 0, "a number must not have leading zeros"),
            ("-01", 1, "a number must not have leading zeros"),
            ("-", 1, "expected a digit, found the end"),
            ("+1", 0, "expected a value, found +"),
            ("1.", 2, "expected a digit, found the end"),
            (".5", 0, "expected a value, found ."),
            ("1e", 2, "expected a digit, found the end"),
            ("1e+x", 3, "expected a digit, found a letter"),
            ("0x10", 1, "expected nothing more, found a letter"),
            ("[1,]", 3, "expected a value, found ]"),
            ("[,1]", 1, "expected a value, found ,"),
            ("[1 2]", 3, "expected a comma or ], found a digit"),
            ("[1", 2, "expected a comma or ], found the end"),
            ("[1}", 2, "expected a comma or ], found }"),
            ("[", 1, "expected a value or the container's end, found the end"),
            (#"{"a":1,}"#, 7, "expected a key in quotes, found }"),
            (#"{"a" 1}"#, 5, "expected a colon, found a digit"),
            (#"{"a"}"#, 4, "expected a colon, found }"),
            ("{a:1}", 1, "expected a key in quotes, found a letter"),
            (#"{"a":1 "b":2}"#, 7, "expected a comma or }, found a string"),
            ("\"a", 2, "expected the string's closing quote, found the end"),
            ("\"a\nb\"", 2, "a control character in a string must be escaped"),
            ("\"\u{0}\"", 1, "a control character in a string must be escaped"),
            (#""\x""#, 2, #"expected an escape: one of " \ / b f n r t u, found a letter"#),
            (#""\u12g4""#, 5, "expected four hexadecimal digits, found a letter"),
            (#""\u12"#, 5, "expected four hexadecimal digits, found the end"),
            (#""\"#, 2, "expected an escape, found the end"),
            (#""\ud800""#, 1, "half of a surrogate pair without the other half"),
            (#""\udc00""#, 1, "half of a surrogate pair without the other half"),
            (#""\ud800\u0041""#, 1, "half of a surrogate pair without the other half"),
            (#""\ud800x""#, 1, "half of a surrogate pair without the other half"),
            ("\u{FEFF}1", 0, "the text starts with a byte order mark, which JSON must not have"),
            ("1\u{A0}", 1, "expected nothing more, found a character beyond ASCII"),
        ] as [(String, Int, String)])
    func refuses(text: String, offset: Int, message: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
        #expect(error?.kind == .syntax)
        #expect(error?.offset == offset)
        #expect(error?.message == message)
    }

    @Test("A location is a line and a column in characters")
    func place() {
        let text = "{\n \"é😀\": [1,\r\n  \"ä\" 2]}"
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
        #expect(error?.line == 3)
        #expect(error?.column == 7)
        #expect(error?.description == "line 3, column 7: expected a comma or ], found a digit")
    }

    @Test(
        "Invalid UTF-8 is reported as such, before any other error",
        arguments: [
            ([0xFF], 0), ([0x22, 0xC0, 0x80, 0x22], 1), ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x7B, 0x7B, 0x22, 0xE2, 0x82], 3), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1),
        ] as [([UInt8], Int)])
    func invalidUTF8(bytes: [UInt8], offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
        #expect(error?.kind == .invalidUTF8)
        #expect(error?.offset == offset)
    }

    @Test(
        "A duplicate key is rejected, however it is written",
        arguments: [
            (#"{"a":1,"a":2}"#, 7), (#"{"b":{"a":1,"a":1}}"#, 12), (#"{"a":1,"\u0061":2}"#, 7), (#"{"":1,"":2}"#, 6),
            (#"{"\ud83d\ude00":1,"😀":2}"#, 18),
        ])
    func duplicateKeys(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
        #expect(error?.kind == .duplicateKey)
        #expect(error?.offset == offset)
    }

    @Test("Keys are compared byte by byte, and different objects may have the same keys")
    func distinctKeys() throws {
        let text = "{\"\u{E9}\":1,\"e\u{301}\":2,\"a\":{\"a\":3},\"b\":[{\"a\":4},{\"a\":5}]}"
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
            Issue.record("not an object")
            return
        }
        #expect(object["\u{E9}"] == .one)
        #expect(object["e\u{301}"] == .two)
        #expect(object["A"] == nil)
        #expect(object.members.map { Array($0.key.utf8) } == ["\u{E9}", "e\u{301}", "a", "b"].map { Array($0.utf8) })
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("The first duplicate among a hundred thousand keys is found in reasonable time")
    func manyKeys() throws {
        var members = (0..<100_000).map { "\"k\($0)\":0" }
        #expect(throws: Never.self) { try JSONValue.parse(Array("{\(members.joined(separator: ","))}".utf8)) }
        members.append("\"k7\":1")
        members.append("\"k3\":1")
        let text = "{\(members.joined(separator: ","))}"
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
        #expect(error?.kind == .duplicateKey)
        #expect(error?.offset == text.utf8.count - "\"k7\":1,\"k3\":1}".utf8.count)
    }

    @Test("Nesting is limited, in arrays and objects, and a hundred thousand levels do no harm")
    func depth() throws {
        let limit = JSONScanner.maximumDepth
        for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> [UInt8] {
                let inner = opening == "[" ? "" : "0"
                return Array(
                    (String(repeating: opening, count: depth) + inner + String(repeating: closing, count: depth)).utf8)
            }
            #expect(throws: Never.self) { try JSONValue.parse(nested(limit)) }
            for depth in [limit + 1, 100_000] {
                let error = #expect(throws: JSONError.self) { try JSONValue.parse(nested(depth)) }
                #expect(error?.kind == .tooDeep)
                #expect(error?.offset == limit * opening.utf8.count)
            }
        }
    }

    @Test("A closed container does not count as depth")
    func siblings() {
        let text = "[" + Array(repeating: "[{}]", count: 1_000).joined(separator: ",") + "]"
        #expect(throws: Never.self) { try JSONValue.parse(Array(text.utf8)) }
    }
}

extension JSONValue {
    static let one = JSONValue.number(JSONNumber(1))
    static let two = JSONValue.number(JSONNumber(2))
}
