import Inventory

/// One entry of the stream of messages, as Redis delivered it.
package struct StreamEntry: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var name: [UInt8]
        package var value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package var id: String
    package var fields: [Field]
    /// How often Redis has delivered it, this time included.
    package var deliveries: Int64

    package init(id: String, fields: [Field], deliveries: Int64 = 1) {
        self.id = id
        self.fields = fields
        self.deliveries = deliveries
    }

    static let typeName = Array("type".utf8)
    static let payloadName = Array("payload".utf8)
    private static let known = [typeName, payloadName] + MessageType.allCases.map { Array($0.rawValue.utf8) }

    /// The same bytes; of the names and types that nearly every entry has, no copy is kept.
    static func shared(_ bytes: [UInt8]) -> [UInt8] {
        for known in known where known.count == bytes.count && known == bytes { return known }
        return bytes
    }

    /// The value of the first field `type`.
    package var type: [UInt8]? { value(of: Self.typeName) }

    /// The value of the first field `payload`.
    package var payload: [UInt8]? { value(of: Self.payloadName) }

    private func value(of name: [UInt8]) -> [UInt8]? {
        for index in fields.indices where fields[index].name == name { return fields[index].value }
        return nil
    }

    /// Whether the entry is one type and one payload, and nothing else.
    package var isPlain: Bool {
        fields.count == 2 && fields[0].name == Self.typeName && fields[1].name == Self.payloadName
    }

    /// Bytes of names and values.
    package var size: Int { fields.reduce(0) { $0 + $1.name.count + $1.value.count } }

    /// All fields, whole and in their order, as a RESP array of names and values.
    package var encodedFields: [UInt8] {
        var bytes = Array("*\(fields.count * 2)\r\n".utf8)
        for field in fields {
            for part in [field.name, field.value] {
                bytes.append(contentsOf: "$\(part.count)\r\n".utf8)
                bytes.append(contentsOf: part)
                bytes.append(contentsOf: "\r\n".utf8)
            }
        }
        return bytes
    }

    /// Digest of all fields. With the id it names the entry even where a Redis that lost its tail gives an id twice.
    package var fingerprint: [UInt8] { SHA256.digest(encodedFields) }

    /// Deliveries after which an entry is suspected of bringing the process down. Two are what one crash of anybody
    /// else's making costs it; being read again after a reconnect counts too.
    private static let suspectDeliveries = 3

    /// Delivered so often that it is processed alone.
    package var isSuspect: Bool { deliveries >= Self.suspectDeliveries }
}
