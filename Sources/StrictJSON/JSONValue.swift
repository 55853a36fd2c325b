/// A JSON value as a tree, for values that are read in no fixed order or stored.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Parses `bytes` as a single value, by the rules of `JSONScanner`.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var scanner = try JSONScanner(bytes)
        let value = try scanner.readValue()
        try scanner.finish()
        return value
    }

    package var kind: JSONKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}

extension JSONValue: Equatable {
    /// Compares strings byte by byte (`String` would treat differently composed accents as equal), numbers as written,
    /// and objects with the order of their members.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONScanner {
    /// Reads the next value as a tree. Recursion is bounded by `maximumDepth`.
    package mutating func readValue() throws(JSONError) -> JSONValue {
        switch try peek() {
        case .null:
            try readNull()
            return .null
        case .bool:
            return .bool(try readBool())
        case .number:
            return .number(try readNumber())
        case .string:
            return .string(try readString())
        case .array:
            var elements: [JSONValue] = []
            try enterArray()
            while try nextElement() { elements.append(try readValue()) }
            return .array(elements)
        case .object:
            var object = JSONObject()
            try enterObject()
            while let key = try nextKey() { object.append(text(of: key), try readValue()) }
            return .object(object)
        }
    }
}
