import Domain
import RedisClient
import RedisLayout

/// Adds messages to the stream. Sending a message twice is harmless: the consumer recognises it by its id and content.
package enum StreamWriter {
    /// Returns the command that adds an entry with these fields, in order.
    package static func add(_ fields: [StreamEntry.Field], to keys: StoreKeys) -> RedisCommand {
        var command = RedisCommand("XADD", capacity: fields.reduce(64) { $0 + $1.name.count + $1.value.count })
        command.append(keys.checkouts)
        command.append("*")
        for field in fields {
            command.append(field.name)
            command.append(field.value)
        }
        return command
    }

    /// Returns whether an entry is on the stream and not processed yet: unread or pending.
    package static func isWaiting(_ entry: String, keys: StoreKeys, client: RedisClient) async throws -> Bool {
        var there = RedisCommand("XRANGE", keys.checkouts)
        there.append(contentsOf: [entry, entry])
        guard try await client.send(there).array?.isEmpty == false else { return false }
        let groups = try await client.send(RedisCommand("XINFO GROUPS", keys.checkouts)).array ?? []
        for group in groups {
            let fields = group.fields
            guard fields["name"]?.string == StoreKeys.group,
                let last = fields["last-delivered-id"]?.string.flatMap({ StreamID($0) }),
                let position = StreamID(entry)
            else { continue }
            if last < position { return true }
            var pending = RedisCommand("XPENDING", keys.checkouts)
            pending.append(contentsOf: [StoreKeys.group, entry, entry, "1"])
            return try await client.send(pending).array?.isEmpty == false
        }
        return true
    }

    /// Returns the fields of a message as publishers send it.
    package static func fields(type: String, payload: [UInt8]) -> [StreamEntry.Field] {
        StreamEntry.fields(type: Array(type.utf8), payload: payload)
    }
}

extension StreamEntry {
    /// Returns the fields of an entry with one type and one payload, or with only one of them.
    package static func fields(type: [UInt8]?, payload: [UInt8]?) -> [Field] {
        [(typeName, type), (payloadName, payload)].compactMap { name, value in
            value.map { Field(name: Array(name.utf8), value: $0) }
        }
    }

    /// Decodes the fields that `encodedFields` encoded, or returns nil if `bytes` are not in that format.
    package static func fields(decoding bytes: [UInt8]) -> [Field]? {
        var rest = bytes[...]
        func line(_ mark: UInt8) -> Int? {
            guard rest.first == mark, let end = rest.firstIndex(of: 0x0D) else { return nil }
            defer { rest = rest[end...].dropFirst(2) }
            return Int(String(decoding: rest[rest.startIndex + 1..<end], as: UTF8.self))
        }
        func text() -> [UInt8]? {
            guard let count = line(UInt8(ascii: "$")), count >= 0, rest.count >= count + 2 else { return nil }
            defer { rest = rest.dropFirst(count + 2) }
            return Array(rest.prefix(count))
        }
        guard let count = line(UInt8(ascii: "*")), count >= 0, count % 2 == 0 else { return nil }
        var fields: [Field] = []
        for _ in 0..<count / 2 {
            guard let name = text(), let value = text() else { return nil }
            fields.append(Field(name: name, value: value))
        }
        return rest.isEmpty ? fields : nil
    }
}
