/// Suggests the word that a mistyped word was probably meant to be.
package enum SpellingSuggestion {
    /// Returns the closest of `words`, the first of equally close ones, or nil if none is close.
    ///
    /// Case, blanks, `_` and `-` are ignored (`cap`), and so is the order of parts (`closed_product`). Otherwise words
    /// are close if they differ by at most two edits, or by one if a word has at most four letters.
    package static func closest(to word: String, among words: [String]) -> String? {
        // No known word is longer; the limit keeps the table below small.
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

    /// Returns the number of edits between two words that are close to each other, or nil.
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

    /// Returns the characters of a word that are compared.
    package static func letters(_ word: String) -> [UInt8] {
        word.lowercased().utf8.filter { !separators.contains($0) }
    }

    private static let separators = Set("_- ".utf8)

    private static func parts(_ word: String) -> [String] {
        word.lowercased().split { $0.utf8.count == 1 && separators.contains($0.utf8.first ?? 0) }.map(String.init)
            .sorted()
    }

    /// Returns the number of insertions, deletions, substitutions and transpositions between two words, or nil if it
    /// exceeds `limit`.
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
            // A transposition skips one row.
            if !previous.contains(where: { $0 <= limit }), !before.contains(where: { $0 <= limit }) { return nil }
        }
        return previous[right.count] <= limit ? previous[right.count] : nil
    }
}
