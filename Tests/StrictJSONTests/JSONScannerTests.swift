import StrictJSON
import Testing

@Suite("Scanning JSON")
struct JSONScannerTests {
    @Test("Skipping a value returns exactly its bytes")
    func skipping() throws {
        let text = #" {"a": [1, {"b":"]"}] , "c":2}"#
        var scanner = try JSONScanner(Array(text.utf8))
        try scanner.enterObject()
        _ = try scanner.nextKey()
        let range = try scanner.skipValue()
        #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == #"[1, {"b":"]"}]"#)
        guard let key = try scanner.nextKey() else {
            Issue.record("no second key")
            return
        }
        #expect("c" ~= key)
        #expect(try scanner.peek() == .number)
        #expect(try scanner.readNumber().integer == 2)
        #expect(try scanner.nextKey() == nil)
        try scanner.finish()
    }

    @Test(
        "A key is compared by its unescaped bytes",
        arguments: [
            (#""type""#, true), (#""\u0074ype""#, true), (#""Type""#, false), (#""typ""#, false), (#""types""#, false),
            (#""""#, false), (#""ty\\e""#, false), ("\"\(String(repeating: "x", count: 1_000))\"", false),
        ])
    func keys(key: String, isType: Bool) throws {
        var scanner = try JSONScanner(Array("{\(key):0}".utf8))
        try scanner.enterObject()
        guard let key = try scanner.nextKey() else {
            Issue.record("no key")
            return
        }
        #expect(("type" ~= key) == isType)
    }

    @Test("Elements are counted without being parsed", arguments: [("[]", 0), ("[[],[1,2]]", 2), ("[1,\"]\",{}]", 3)])
    func counting(text: String, count: Int) throws {
        var scanner = try JSONScanner(Array(text.utf8))
        #expect(try scanner.countElements(at: 0) == count)
        #expect(try scanner.skipValue() == 0..<text.utf8.count)
    }

    @Test("Requesting a value of another kind throws")
    func otherKinds() throws {
        var scanner = try JSONScanner(Array("1".utf8))
        #expect(throws: JSONError.self) { try scanner.readString() }
        #expect(throws: JSONError.self) { try scanner.readBool() }
        #expect(throws: JSONError.self) { try scanner.readNull() }
        #expect(throws: JSONError.self) { try scanner.enterArray() }
        #expect(throws: JSONError.self) { try scanner.enterObject() }
        #expect(try scanner.readNumber().integer == 1)
        #expect(throws: JSONError.self) { try scanner.readNumber() }
    }
}
