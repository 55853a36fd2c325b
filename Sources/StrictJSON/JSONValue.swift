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

/// A number as text: reading and writing it loses nothing.
package struct JSONNumber: Sendable, Equatable {
    package let text: String

    package init(_ integer: Int64) {
        text = String(integer)
    }

    /// Creates a number with three decimals, for example seconds from milliseconds.
    package init(thousandths: Int64) {
        let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1_000)
        text = "\(thousandths < 0 ? "-" : "")\(whole).\(String(rest + 1_000).dropFirst())"
    }

    /// - Parameter text: must be a valid JSON number.
    init(unchecked text: String) {
        self.text = text
    }

    /// Whether the number is written without fraction and exponent, whatever its size.
    package var isInteger: Bool {
        text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    /// The number, if it is written as an integer (2.0 and 1e3 are not) and fits in `Int64`. -0 is 0.
    package var integer: Int64? { Int64(text) }
}

/// The members of an object in the order of the text, without duplicate keys.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package var key: String
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []

    package init() {}

    /// Appends a member. The caller must make sure that `key` is new.
    package mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
    }

    /// Returns the value of `key`, compared byte by byte. Linear in the number of members.
    package subscript(_ key: String) -> JSONValue? {
        members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }
}

extension JSONObject: Equatable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { left, right in
            left.key.utf8.elementsEqual(right.key.utf8) && left.value == right.value
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
