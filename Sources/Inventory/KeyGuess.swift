/// Finds the word that a mistyped one was probably meant to be.
package enum KeyGuess {
    /// The nearest of `words`, the first of equals; nil if none is near. Capitals, `_` and `-` do not count
    /// (`maxQuantity`), otherwise two edits are near, and one in words of up to four letters.
    package static func closest(to word: String, among words: [String]) -> String? {
        let letters = letters(word)
        // Longer than any word of ours: nothing to guess, and the table below stays small.
        guard letters.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in words {
            let candidateLetters = Self.letters(candidate)
            let near = min(letters.count, candidateLetters.count) <= 4 ? 1 : 2
            guard abs(letters.count - candidateLetters.count) <= near else { continue }
            let distance = distance(letters, candidateLetters)
            if distance <= near, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    private static func letters(_ word: String) -> [UInt8] {
        word.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours between two words.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                let substitution = previous[j] + (left[i] == right[j] ? 0 : 1)
                var best = min(substitution, previous[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, before[j - 1] + 1)
                }
                row.append(best)
            }
            before = previous
            previous = row
        }
        return previous[right.count]
    }
}
