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
