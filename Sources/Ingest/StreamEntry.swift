import Cryptography
import Domain

/// One entry of the stream of messages, as delivered by Redis.
package struct StreamEntry: Sendable {
    package struct Field: Sendable, Equatable {
        package var name: [UInt8]
        package var value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package let id: String
    /// The number of times that Redis has delivered the entry, including this time.
    package var deliveries: Int64
    /// Usually the reply that contains the entry, shared with other entries; for an entry that was not read, the
    /// reason.
    private let bytes: [UInt8]
    private let places: Places

    /// The ranges of names and values. Nearly every entry has a type and a payload; an array for these two would cost
    /// one more allocation per message.
    private enum Places: Sendable {
        case plain(type: Range<UInt32>, payload: Range<UInt32>)
        /// The ranges of names and values, alternating.
        case any([Range<Int>])
        /// The fields were not read.
        case unread
    }

    /// Creates an entry whose fields are ranges of `bytes`.
    /// - Parameters:
    ///   - bytes: less than 4 GiB.
    ///   - places: the ranges of names and values, alternating; a name without a value is dropped.
    init(id: String, in bytes: [UInt8], at places: [Range<Int>], deliveries: Int64 = 1) {
        self.id = id
        self.bytes = bytes
        self.deliveries = deliveries
        let isPlain =
            places.count == 4 && ByteSlice(bytes, at: places[0]).equals(Self.typeName)
            && ByteSlice(bytes, at: places[2]).equals(Self.payloadName)
        self.places =
            isPlain
            ? .plain(type: Self.short(places[1]), payload: Self.short(places[3]))
            : .any(places.count.isMultiple(of: 2) ? places : places.dropLast())
    }

    package init(id: String, fields: [Field], deliveries: Int64 = 1) {
        var bytes: [UInt8] = []
        var places: [Range<Int>] = []
        for part in fields.lazy.flatMap({ [$0.name, $0.value] }) {
            places.append(bytes.count..<bytes.count + part.count)
            bytes += part
        }
        self.init(id: id, in: bytes, at: places, deliveries: deliveries)
    }

    /// Creates an entry that could not be read: it has an id and no fields.
    package init(id: String, unreadBecause reason: String) {
        self.id = id
        bytes = Array(reason.utf8)
        deliveries = 1
        places = .unread
    }

    /// Why the fields were not read; nil if they were.
    package var unreadReason: String? {
        if case .unread = places { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    private static func short(_ place: Range<Int>) -> Range<UInt32> {
        UInt32(truncatingIfNeeded: place.lowerBound)..<UInt32(truncatingIfNeeded: place.upperBound)
    }

    static let typeName = "type"
    static let payloadName = "payload"

    /// The value of the first field named `type`.
    package var type: ByteSlice? {
        if case .plain(let type, _) = places { part(type) } else { value(of: Self.typeName) }
    }

    /// The value of the first field named `payload`.
    package var payload: ByteSlice? {
        if case .plain(_, let payload) = places { part(payload) } else { value(of: Self.payloadName) }
    }

    private func part(_ place: Range<UInt32>) -> ByteSlice {
        ByteSlice(bytes, at: Int(place.lowerBound)..<Int(place.upperBound))
    }

    private func value(of name: String) -> ByteSlice? {
        guard case .any(let places) = places else { return nil }
        for at in stride(from: 0, to: places.count, by: 2) where ByteSlice(bytes, at: places[at]).equals(name) {
            return ByteSlice(bytes, at: places[at + 1])
        }
        return nil
    }

    /// Whether the entry consists of one type and one payload.
    package var isPlain: Bool {
        if case .plain = places { true } else { false }
    }

    /// The names and values, alternating.
    private var parts: [ByteSlice] {
        switch places {
        case .plain(let type, let payload):
            [
                ByteSlice(Array(Self.typeName.utf8)), part(type), ByteSlice(Array(Self.payloadName.utf8)),
                part(payload),
            ]
        case .any(let places): places.map { ByteSlice(bytes, at: $0) }
        case .unread: []
        }
    }

    /// The names and values, in the entry's order.
    package var fields: [Field] {
        let parts = parts
        return stride(from: 0, to: parts.count, by: 2).map {
            Field(name: parts[$0].copy, value: parts[$0 + 1].copy)
        }
    }

    /// The total size of names and values, in bytes.
    package var size: Int {
        switch places {
        case .plain(let type, let payload):
            Self.typeName.utf8.count + Self.payloadName.utf8.count + type.count + payload.count
        case .any(let places): places.reduce(0) { $0 + $1.count }
        case .unread: 0
        }
    }

    /// All fields, complete and in order, as a RESP array of names and values.
    package var encodedFields: [UInt8] {
        let parts = parts
        var encoded: [UInt8] = []
        encoded.reserveCapacity(size + 16 * (parts.count + 1))
        encoded.append(contentsOf: "*\(parts.count)\r\n".utf8)
        for part in parts {
            encoded.append(contentsOf: "$\(part.count)\r\n".utf8)
            encoded.append(contentsOf: part.array[part.place])
            encoded.append(contentsOf: "\r\n".utf8)
        }
        return encoded
    }

    /// The digest of all fields. Together with the id it identifies the entry even if a Redis server that has lost its
    /// tail assigns an id twice.
    package var fingerprint: [UInt8] { SHA256.digest(encodedFields) }

    /// The number of deliveries after which an entry is suspected to be a poison message. One crash that it did not
    /// cause already raises its count to two, and so does a second read after a reconnect.
    package static let poisonDeliveries: Int64 = 3

    /// Whether the entry was delivered so often that it must be processed alone.
    package var mayBePoison: Bool { deliveries >= Self.poisonDeliveries }
}

extension StreamEntry: Equatable {
    package static func == (left: StreamEntry, right: StreamEntry) -> Bool {
        left.id == right.id && left.deliveries == right.deliveries && left.fields == right.fields
    }
}
