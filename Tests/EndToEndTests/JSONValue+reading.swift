import StrictJSON
import TestSupport

/// Shorthands for reading values from responses.
extension JSONValue {
    subscript(_ key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    subscript(_ index: Int) -> JSONValue? { elements.indices.contains(index) ? elements[index] : nil }

    /// The elements; empty for a value that is not an array.
    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }

    var integer: Int64? { if case .number(let number) = self { number.integer } else { nil } }

    /// The names of an object's members, sorted.
    var keys: [String] {
        if case .object(let object) = self { object.members.map(\.key).sorted() } else { [] }
    }

    /// The value as text with sorted member names, so that equal JSON values have equal texts.
    var sortedText: String {
        switch self {
        case .object(let object):
            let members = object.members.sorted { $0.key < $1.key }
            return "{"
                + members.map { "\(JSONValue.string($0.key).text):\($0.value.sortedText)" }.joined(separator: ",") + "}"
        case .array(let elements): return "[" + elements.map(\.sortedText).joined(separator: ",") + "]"
        default: return text
        }
    }

    init(parsing text: String) throws {
        self = try .parse(Array(text.utf8))
    }
}

extension JSONValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension HTTPReply {
    /// The body, which must be strict JSON.
    func json() throws -> JSONValue {
        do {
            return try .parse(body)
        } catch {
            throw TestSupportError("\(status) with a body that is no JSON (\(error)): \(text.prefix(500))")
        }
    }
}

extension EventStream.Event {
    func json() throws -> JSONValue { try JSONValue(parsing: data) }

    /// EPOCH.SEQ as two numbers, which compare in the order of the states.
    var position: (Int, Int)? {
        let parts = (id ?? "").split(separator: ".").compactMap { Int($0) }
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
}
