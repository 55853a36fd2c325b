import StrictJSON

/// Mutates a JSON text so that it stays JSON (except for duplicate keys): it passes the parser and reaches the rules.
package enum JSONMutation {
    /// Values at the limits of types, ranges and lengths.
    private static let oddities: [JSONValue] =
        [
            "null", "true", "false", "0", "-0", "1", "-1", "5", "6", "2.0", "1e3", "1000000", "1000001",
            "9007199254740991", "9007199254740992", "-9007199254740992", "9223372036854775807", "-9223372036854775808",
            "99999999999999999999", "[]", "{}", "[null]", "[[]]", "{\"\":0}", "\"\"", "\" \"", "\"a\\u0000\"",
            "\"\\u001f\"", "\"\\u007f\"", "\"\\u0085\"", "\"\\u009f\"", "\"\\u00a0\"", "\"é\"", "\"e\\u0301\"", "\"😀\"",
            "\"null\"", "\"1\"",
        ].map { literal($0) }
        + [255, 256].map { .string(String(repeating: "a", count: $0)) }
        + [.string(String(repeating: "é", count: 128)), .array(Array(repeating: .null, count: 3))]

    private static let keys = ["", "id", "name", "items", "variants", "quantity", "ID", "unit-price", "\u{0}", "é"]

    /// Returns the text of `value` with one to three values changed, moved, duplicated or removed.
    package static func mutate(_ value: JSONValue, using generator: inout SeededGenerator) -> [UInt8] {
        var result = value
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let values = all(in: result)
            var place = Int.random(in: 0..<values.count, using: &generator)
            let kind = values[place].kind
            let other =
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: values.randomElement(using: &generator)
                case 1: oddities.randomElement(using: &generator)
                // A value of the right type is validated further.
                default: oddities.filter { $0.kind == kind }.randomElement(using: &generator)
                }
            result = changing(result, &place, other ?? .null, &generator)
        }
        var bytes: [UInt8] = []
        result.write(into: &bytes)
        return bytes
    }

    package static func literal(_ text: String) -> JSONValue {
        do {
            return try JSONValue.parse(Array(text.utf8))
        } catch {
            // Only for texts that are written in a test.
            preconditionFailure("\(error): \(text)")
        }
    }

    private static func all(in value: JSONValue) -> [JSONValue] {
        switch value {
        case .array(let elements): [value] + elements.flatMap { all(in: $0) }
        case .object(let object): [value] + object.members.flatMap { all(in: $0.value) }
        default: [value]
        }
    }

    /// Returns `value` with the value at index `place`, in the order of the text, changed.
    private static func changing(
        _ value: JSONValue, _ place: inout Int, _ other: JSONValue, _ generator: inout SeededGenerator
    ) -> JSONValue {
        place -= 1
        if place == -1 { return changed(value, other, &generator) }
        switch value {
        case .array(let elements):
            return .array(elements.map { changing($0, &place, other, &generator) })
        case .object(let object):
            return .object(
                rebuilt(object.members.map { ($0.key, changing($0.value, &place, other, &generator)) }))
        default: return value
        }
    }

    private static func changed(
        _ value: JSONValue, _ other: JSONValue, _ generator: inout SeededGenerator
    ) -> JSONValue {
        switch (value, Int.random(in: 0..<5, using: &generator)) {
        case (.array(var elements), 0) where !elements.isEmpty:
            elements.remove(at: Int.random(in: 0..<elements.count, using: &generator))
            return .array(elements)
        case (.array(var elements), 1...3):
            let added = generator.chance(50) ? elements.randomElement(using: &generator) ?? other : other
            elements.insert(added, at: Int.random(in: 0...elements.count, using: &generator))
            return .array(elements)
        case (.object(let object), 0...3):
            var members = object.members.map { ($0.key, $0.value) }
            let key = keys.randomElement(using: &generator) ?? ""
            let index = members.indices.randomElement(using: &generator)
            switch (Int.random(in: 0..<3, using: &generator), index) {
            case (0, let index?): members.remove(at: index)
            case (1, let index?): members[index].0 = key
            default: members.append((key, other))
            }
            return .object(rebuilt(members))
        default: return other
        }
    }

    private static func rebuilt(_ members: [(String, JSONValue)]) -> JSONObject {
        var object = JSONObject()
        for (key, value) in members { object.append(key, value) }
        return object
    }
}
