import ArgumentParser
import Domain
import Files
import Spelling
import StrictJSON

/// Reads the values of settings from flags, environment variables and the configuration file.
struct SettingsSources {
    private let flags: [String: String]
    private let file: [String: JSONValue]
    private let fileName: String

    init(options: SettingsOptions) throws {
        flags = options.flags
        fileName = options.config ?? EnvironmentVariable.value(of: EnvironmentVariable.config) ?? ""
        file = fileName.isEmpty ? [:] : try Self.read(fileName)
        EnvironmentVariable.warnOfUnknown()
    }

    private static func read(_ path: String) throws -> [String: JSONValue] {
        func failure(_ why: String) -> ValidationError {
            ValidationError("reading the settings failed: on \(path): \(why)")
        }
        guard let bytes = FilePath.contents(of: path) else {
            throw failure("it cannot be read. Check the path and its permissions.")
        }
        guard let text = TextEncoding.text(of: bytes) else { throw failure("it \(TextEncoding.refusal).") }
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw failure("it is not valid JSON (\(error)).")
        }
        guard case .object(let object) = value else { throw failure("it is not an object. See config/stocktake.json.") }
        let known = SettingName.all.map(\.key)
        for member in object.members where !known.contains(member.key) {
            let suggestion =
                SpellingSuggestion.closest(to: member.key, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
            throw failure("\"\(member.key)\" is not a setting.\(suggestion)")
        }
        return Dictionary(uniqueKeysWithValues: object.members.map { ($0.key, $0.value) })
    }

    /// The value as text, and where it was found; nil if no source has one.
    private func find(_ name: SettingName) throws -> (text: String, place: String)? {
        if let value = flags[name.key] { return (value, name.flag) }
        if let value = EnvironmentVariable.value(of: name.variable) {
            guard name.isPath || FilePath.isUTF8(value) else {
                throw ValidationError("\(name.variable) is not UTF-8.")
            }
            return (value, name.variable)
        }
        let place = "\(name.key) in \(fileName)"
        switch file[name.key] {
        // The shipped file has null for a setting without a default.
        case nil, .null: return nil
        case .string(let text): return (name.isPath ? FilePath.text(text.utf8) : text, place)
        case .number(let number): return (number.text, place)
        default: throw ValidationError("\(place) must be text or a number.")
        }
    }

    func value(_ key: SettingKey<String>) throws -> String { try text(key) ?? key.defaultValue }

    /// nil if the setting is unset, or empty where that is allowed.
    func value(_ key: SettingKey<String?>) throws -> String? {
        let text = try text(key) ?? key.defaultValue
        return text?.isEmpty == true ? nil : text
    }

    /// Rejects an empty text, unless it switches the setting off: `--ledger "$UNSET"` must not mean the default ledger.
    private func text(_ key: SettingKey<some Sendable>) throws -> String? {
        guard let (text, place) = try find(key.name) else { return nil }
        if text.isEmpty, !key.mayBeEmpty {
            throw ValidationError("\(place) is empty. Leave it out for the default.")
        }
        return text
    }

    func value(_ key: SettingKey<Int>) throws -> Int { try number(key) ?? key.defaultValue }

    func value(_ key: SettingKey<Int?>) throws -> Int? { try number(key) ?? key.defaultValue }

    func value(_ key: SettingKey<Bool>) throws -> Bool {
        guard let (text, place) = try find(key.name) else { return key.defaultValue }
        guard let isOn = ["yes": true, "no": false][text] else {
            throw ValidationError("\(place) is \"\(text)\"; it must be yes or no.")
        }
        return isOn
    }

    private func number(_ key: SettingKey<some Sendable>) throws -> Int? {
        guard let (text, place) = try find(key.name) else { return nil }
        guard let number = Int(text), key.range.contains(number) else {
            throw ValidationError(
                "\(place) is \"\(text)\"; it must be an integer from \(key.range.lowerBound) to \(key.range.upperBound)."
            )
        }
        return number
    }
}
