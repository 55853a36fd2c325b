import ArgumentParser
import Domain
import Logging
import Spelling

/// The valid words of arguments and settings, and the hint for an invalid one.
enum Words {
    static let logLevels = Logger.Level.allCases.map(\.rawValue)

    /// "it must be one of …. Did you mean …?"
    static func guidance(for word: String, among words: [String]) -> String {
        let suggestion = SpellingSuggestion.closest(to: word, among: words).map { " Did you mean \"\($0)\"?" } ?? ""
        return "it must be one of \(words.joined(separator: ", ")).\(suggestion)"
    }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
    static var words: [String] { allCases.map(\.rawValue) }

    /// The case with that name, for an option's `transform`, whose error is then preceded by the option's name.
    static func named(_ text: String) throws -> Self {
        guard let found = Self(rawValue: text) else { throw ValidationError(Words.guidance(for: text, among: words)) }
        return found
    }
}
