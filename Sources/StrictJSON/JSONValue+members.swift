extension JSONValue {
    /// An object with its members in this order; no key may appear twice.
    package static func members(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        var object = JSONObject()
        for (key, value) in members { object.append(key, value) }
        return .object(object)
    }

    /// The same object with these members at its end. Anything but an object stays as it is.
    package func with(_ members: some Sequence<(String, JSONValue)>) -> JSONValue {
        guard case .object(var object) = self else { return self }
        for (key, value) in members { object.append(key, value) }
        return .object(object)
    }

    /// null for nil.
    package static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// null for nil.
    package static func integer(_ number: (some BinaryInteger)?) -> JSONValue {
        number.map { .number(JSONNumber(Int64($0))) } ?? .null
    }
}
