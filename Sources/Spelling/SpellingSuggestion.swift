/// Finds the word that a mistyped one was probably meant to be.
package enum SpellingSuggestion {
    /// The nearest of `words`, the first of equals; nil if none is near. Case, blanks, `_` and `-` do not count
    /// (`cap`), nor does the order of parts (`closed_product`); otherwise up to two edits are near, and one in words of
    /// up to four letters.
    package static func closest(to word: String, among words: [String]) -> String? {
        // Longer than any known word: nothing to guess, and the table below stays small.
        guard word.utf8.count <= 96 else { return nil }
        let letters = letters(word)
        var best: (word: String, distance: Int)?
        for candidate in words {
            guard let distance = nearness(letters, Self.letters(candidate)), distance < best?.distance ?? .max else {
                continue
            }
            best = (candidate, distance)
        }
        if let best { return best.word }
        let parts = parts(word)
        return words.first { parts.count > 1 && Self.parts($0) == parts }
    }

    /// Edits between two words that are near each other, or nil.
    package static func nearness(_ left: [UInt8], _ right: [UInt8]) -> Int? {
        let near =
            switch min(left.count, right.count) {
            case ...1: 0
            case ...4: 1
            default: 2
            }
        guard abs(left.count - right.count) <= near else { return nil }
        return distance(left, right, atMost: near)
    }

    /// The characters of a word that count.
    package static func letters(_ word: String) -> [UInt8] {
        word.lowercased().utf8.filter { !separators.contains($0) }
    }

    private static let separators = Set("_- ".utf8)

    private static func parts(_ word: String) -> [String] {
        word.lowercased().split { $0.utf8.count == 1 && separators.contains($0.utf8.first ?? 0) }.map(String.init)
            .sorted()
    }

    /// Insertions, deletions, substitutions and swaps of neighbours between two words; nil if there are more than
    /// `limit`.
    private static func distance(_ left: [UInt8], _ right: [UInt8], atMost limit: Int) -> Int? {
        if left == right { return 0 }
        var before: [Int] = []
        var previous = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1]
            row.reserveCapacity(right.count + 1)
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
            // A swap skips one row.
            if !previous.contains(where: { $0 <= limit }), !before.contains(where: { $0 <= limit }) { return nil }
        }
        return previous[right.count] <= limit ? previous[right.count] : nil
    }
}
