import Spelling

/// Finds the id that a mistyped one was probably meant to be, among very many: it compares a few hundred of them,
/// however many there are.
///
/// In a mistyped id, either the part before the mistake or the part after it is long and correct. So near ids are also
/// near in alphabetical order, read forwards or backwards. A different number is a different id, not a mistake.
package struct IdentifierSuggestion: Sendable {
    private struct Word: Sendable {
        var id: Identifier
        var letters: [UInt8]
    }

    private let forwards: [Word]
    private let backwards: [Word]

    /// How many are compared on each side of the place where the mistyped id would be.
    private static let neighbours = 64
    /// Longer ids are not typed manually; the work for each id stays small.
    private static let maximumLetters = 64

    package init(_ ids: some Sequence<Identifier>) {
        let words = ids.map { Word(id: $0, letters: SpellingSuggestion.letters($0.text)) }
            .filter { $0.letters.count <= Self.maximumLetters }
        forwards = words.sorted { Self.precedes($0.letters, $1.letters) }
        backwards = words.map { Word(id: $0.id, letters: $0.letters.reversed()) }
            .sorted { Self.precedes($0.letters, $1.letters) }
    }

    /// The nearest by the measure of `SpellingSuggestion`; of equally near ids the first in their order. nil if none is near.
    package func closest(to id: Identifier) -> Identifier? {
        let letters = SpellingSuggestion.letters(id.text)
        guard letters.count <= Self.maximumLetters else { return nil }
        var best: (id: Identifier, distance: Int)?
        for (words, letters) in [(forwards, letters), (backwards, letters.reversed())] {
            for word in Self.neighbours(of: letters, in: words) {
                guard Self.digits(letters) == Self.digits(word.letters),
                    let distance = SpellingSuggestion.nearness(letters, word.letters)
                else { continue }
                if best.map({ distance < $0.distance || distance == $0.distance && word.id < $0.id }) ?? true {
                    best = (word.id, distance)
                }
            }
        }
        return best?.id
    }

    private static func neighbours(of letters: [UInt8], in words: [Word]) -> ArraySlice<Word> {
        var (low, high) = (0, words.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(words[middle].letters, letters) { low = middle + 1 } else { high = middle }
        }
        return words[max(low - neighbours, 0)..<min(low + neighbours, words.count)]
    }

    private static func digits(_ letters: [UInt8]) -> [UInt8] {
        letters.filter { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
}
