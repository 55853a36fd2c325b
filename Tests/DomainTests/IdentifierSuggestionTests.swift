import Domain
import Randomness
import Testing

@Suite("Suggestions for a mistyped id")
struct IdentifierSuggestionTests {
    private static let suggestion = IdentifierSuggestion([
        "Unit-8x8x8-Founder", "Unit-8x8x8-DIY", "Material-8x8-V", "ABC", "abc", "DEF", "P", "Interface-Dial",
    ])

    @Test(
        "One or two letters, case, blanks and separators may differ, but not numbers or short ids",
        arguments: [
            ("Unit-8x8x8-Foundr", "Unit-8x8x8-Founder"), ("Uint-8x8x8-Founder", "Unit-8x8x8-Founder"),
            ("nit-8x8x8-Founder", "Unit-8x8x8-Founder"), ("unit_8x8x8_founder", "Unit-8x8x8-Founder"),
            ("Unit-8x8x8-diy ", "Unit-8x8x8-DIY"), ("DEF ", "DEF"), ("def", "DEF"), ("Abc", "ABC"), ("DEG", "DEF"),
            ("Unit-9x9x9-Founder", nil), ("Unit-8x8x8", nil), ("Q", nil), ("", nil), ("X", nil), ("XYZ", nil),
            ("Interface-Deal", "Interface-Dial"), (String(repeating: "x", count: 255), nil),
        ] as [(String, String?)])
    func words(mistyped: String, meant: String?) {
        #expect(Self.suggestion.closest(to: Identifier(mistyped))?.text == meant)
    }

    @Test("Among very many ids a single typo is found wherever it is")
    func many() throws {
        // Similar words: many ids share the text before the typo, or after it.
        let words = ["alpha", "bravo", "delta", "gamma", "kappa", "omega", "sigma", "theta"]
        let ids = (0..<10_000).map { number in
            Identifier("shop-\(number)-\(words[number % 8])-\(words[number / 8 % 8])-edition")
        }
        let suggestion = IdentifierSuggestion(ids)
        var generator = SeededGenerator(seed: 7)
        var tried = 0
        while tried < 200 {
            let id = ids[Int.random(in: 0..<ids.count, using: &generator)]
            var letters = Array(id.text)
            let place = Int.random(in: 0..<letters.count, using: &generator)
            if letters[place].isNumber || letters[place] == "-" { continue }
            letters[place] = "q"
            tried += 1
            #expect(suggestion.closest(to: Identifier(String(letters))) == id)
        }
    }
}
