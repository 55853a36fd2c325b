import Spelling

/// Suggests the id that a mistyped id was probably meant to be. It compares only a few hundred ids, however many there
/// are.
///
/// In a mistyped id, either the part before the mistake or the part after it is long and correct, so similar ids are
/// also close in alphabetical order, read either forwards or backwards. An id with a different number is a different
/// id, not a mistake.
package struct IdentifierSuggestion: Sendable {
    private struct Word: Sendable {
        var id: Identifier
        var letters: [UInt8]
    }

    private let forwards: [Word]
    private let backwards: [Word]

    /// The number of ids compared on each side of the position at which the mistyped id would be sorted.
    private static let neighbours = 64
    /// Longer ids are not typed manually; the limit keeps the work per id small.
    private static let maximumLetters = 64

    package init(_ ids: some Sequence<Identifier>) {
        let words = ids.map { Word(id: $0, letters: SpellingSuggestion.letters($0.text)) }
            .filter { $0.letters.count <= Self.maximumLetters }
        forwards = words.sorted { Self.precedes($0.letters, $1.letters) }
        backwards = words.map { Word(id: $0.id, letters: $0.letters.reversed()) }
            .sorted { Self.precedes($0.letters, $1.letters) }
    }

    /// Returns the closest id by the measure of `SpellingSuggestion`, the lowest of equally close ids, or nil if none
    /// is close.
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
