import Foundation
import Randomness
import StrictJSON
import Testing

@Suite("Random JSON")
struct JSONFuzzTests {
    @Test("Random valid texts are accepted, agree with Foundation, and survive writing")
    func validTexts() throws {
        try Fuzzing.rounds(500, of: "valid JSON") { (generator: inout SeededGenerator) throws in
            let text = RandomJSON.text(depth: 4, using: &generator)
            let value = try JSONValue.parse(Array(text.utf8))
            let foundation = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            #expect(means(value, foundation), "seed \(generator.seed): \(text)")
            #expect(try JSONValue.parse(Array(value.text.utf8)) == value, "seed \(generator.seed): \(text)")
        }
    }

    @Test("Damaged texts never crash; parsing and skipping agree; accepted texts survive writing")
    func damagedTexts() throws {
        try Fuzzing.rounds(5_000, of: "damaged JSON") { (generator: inout SeededGenerator) throws in
            let text = RandomJSON.text(depth: 4, using: &generator)
            let bytes = Mutation.mutate(Array(text.utf8), using: &generator)
            let parsed = Result { try JSONValue.parse(bytes) }
            let skipped = Result {
                var scanner = try JSONScanner(bytes)
                try scanner.skipValue()
                try scanner.finish()
            }
            switch (parsed, skipped) {
            case (.success(let value), .success):
                #expect(try JSONValue.parse(Array(value.text.utf8)) == value, "seed \(generator.seed)")
                // Foundation accepts at least what we accept, except for numbers beyond its range.
                if !bytes.contains(UInt8(ascii: "e")), !bytes.contains(UInt8(ascii: "E")) {
                    #expect(throws: Never.self, "seed \(generator.seed)") {
                        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
                    }
                }
            case (.failure(let parsing), .failure(let skipping)):
                #expect(parsing as? JSONError == skipping as? JSONError, "seed \(generator.seed)")
                #expect((parsing as? JSONError)?.offset ?? .max <= bytes.count)
            default:
                Issue.record("parsing and skipping disagree: seed \(generator.seed)")
            }
        }
    }

    private func means(_ value: JSONValue, _ foundation: Any) -> Bool {
        switch value {
        case .null:
            return foundation is NSNull
        case .bool(let bool):
            return (foundation as? NSNumber)?.boolValue == bool
        case .number(let number):
            guard let found = foundation as? NSNumber else { return false }
            return number.integer.map { found.int64Value == $0 } ?? (found.doubleValue == Double(number.text))
        case .string(let string):
            return (foundation as? String).map { Array($0.utf8) == Array(string.utf8) } ?? false
        case .array(let elements):
            guard let found = foundation as? [Any], found.count == elements.count else { return false }
            return zip(elements, found).allSatisfy { means($0, $1) }
        case .object(let object):
            guard let found = foundation as? [String: Any], found.count == object.members.count else { return false }
            return object.members.allSatisfy { member in found[member.key].map { means(member.value, $0) } ?? false }
        }
    }
}

/// JSON texts that are valid by construction.
enum RandomJSON {
    static func text(depth: Int, using generator: inout SeededGenerator) -> String {
        let blank = ["", "", " ", "\n", "\t\r\n"].randomElement(using: &generator) ?? ""
        return blank + value(depth: depth, using: &generator) + blank
    }

    private static func value(depth: Int, using generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return "null"
        case 1: return Bool.random(using: &generator) ? "true" : "false"
        case 2: return String(Int64.random(in: -1_000_000...1_000_000, using: &generator))
        case 3: return ["0", "-1.5", "2.0", "1e3", "1.25E-2", "100"].randomElement(using: &generator) ?? "0"
        case 4: return string(using: &generator)
        case 5:
            let elements = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                text(depth: depth - 1, using: &generator)
            }
            return "[" + elements.joined(separator: ",") + "]"
        default:
            // The number makes the keys unique.
            let members = (0..<Int.random(in: 0...20, using: &generator)).map { number in
                "\"k\(number)\(string(using: &generator).dropFirst()):\(text(depth: depth - 2, using: &generator))"
            }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private static func string(using generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "é", "😀", "\\n", "\\\"", "\\\\", "\\u0041", "\\ud83d\\ude00", "\\/", " ", "{", "ß", "\u{7F}",
        ]
        let content = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
            pieces.randomElement(using: &generator) ?? ""
        }
        return "\"" + content.joined() + "\""
    }
}
