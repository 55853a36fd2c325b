extension JSONValue {
    /// Creates an object with its members in this order; no key may appear twice.
    package static func members(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        var object = JSONObject()
        for (key, value) in members { object.append(key, value) }
        return .object(object)
    }

    /// Returns the same object with these members appended. A value that is not an object is returned unchanged.
    package func with(_ members: some Sequence<(String, JSONValue)>) -> JSONValue {
        guard case .object(var object) = self else { return self }
        for (key, value) in members { object.append(key, value) }
        return .object(object)
    }

    /// Creates a string, or null for nil.
    package static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// Creates a number, or null for nil.
    package static func integer(_ number: (some BinaryInteger)?) -> JSONValue {
        number.map { .number(JSONNumber(Int64($0))) } ?? .null
    }
}
