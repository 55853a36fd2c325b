import Domain
import Testing

@Suite("Ids")
struct IdentifierTests {
    @Test("Ids are equal only byte by byte")
    func bytes() {
        let composed = Identifier("caf\u{E9}")
        let decomposed = Identifier("cafe\u{301}")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, Identifier("caf\u{E9}")]).count == 2)
        #expect(Identifier("a") != "A")
    }

    @Test("Ids sort by their bytes, as in SQLite")
    func order() {
        let sorted: [Identifier] = ["", "A", "B", "a", "aa", "b", "z\u{301}", "\u{E9}", "\u{FFFD}", "😀"]
        #expect(sorted.reversed().sorted() == sorted)
    }

    @Test(
        "An id has 1 to 255 bytes and no control characters",
        arguments: [
            ("a", nil), (" BANK CHARGES ", nil), ("é\u{A0}ÿ", nil), ("à", nil), ("Ā", nil), ("😀", nil),
            (String(repeating: "x", count: 255), nil), ("", "is empty"),
            (String(repeating: "x", count: 256), "has 256 bytes; at most 255 are allowed"),
            ("a\u{0}", "contains a control character"), ("\u{1F}", "contains a control character"),
            ("\r\n", "contains a control character"), ("a\u{7F}b", "contains a control character"),
            ("\u{80}", "contains a control character"), ("\u{9F}", "contains a control character"),
        ] as [(String, String?)])
    func violations(text: String, violation: String?) {
        #expect(Identifier.violation(in: text) == violation)
    }

    @Test("The bytewise check for control characters agrees with Unicode's categories")
    func everyScalar() {
        for value in 0..<UInt32(0x3000) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isControl = scalar.properties.generalCategory == .control
            #expect((Identifier.violation(in: String(Character(scalar))) != nil) == isControl, "U+\(value)")
        }
    }
}
