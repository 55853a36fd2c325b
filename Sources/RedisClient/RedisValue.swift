/// A value of a RESP2 reply. A nil string and a nil array are both `null`.
package enum RedisValue: Sendable, Equatable {
    case null
    case simple(String)
    case integer(Int64)
    case bulk([UInt8])
    case array([RedisValue])
    /// An error reply inside an array (of a transaction, a script) or a pipeline. An error that is the whole reply to
    /// `send` is thrown instead.
    case error(RedisReplyError)

    /// The text of a simple or a bulk string; nil for all other kinds, and for bytes that are not UTF-8.
    package var string: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The bytes of a bulk or a simple string; nil for all other kinds.
    package var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes): bytes
        case .simple(let text): [UInt8](text.utf8)
        default: nil
        }
    }

    /// An integer reply, or a bulk string that is an integer exactly as Redis writes one: `"7"`, `"-7"`, but not
    /// `"+7"`, `"07"`, `" 7"` or `"7.0"`. Hash fields arrive as bulk strings.
    package var int: Int64? {
        switch self {
        case .integer(let number): number
        case .bulk(let bytes): Self.canonicalInteger(bytes)
        default: nil
        }
    }

    /// The elements of an array; nil for all other kinds, and for a nil array.
    package var array: [RedisValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var isNull: Bool { self == .null }

    /// Accumulates a negative number: `Int64.min` has no positive counterpart.
    private static func canonicalInteger(_ bytes: [UInt8]) -> Int64? {
        let zero = UInt8(ascii: "0")
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative ? bytes.dropFirst() : bytes[...]
        guard let first = digits.first else { return nil }
        if first == zero { return digits.count == 1 && !isNegative ? 0 : nil }
        var sum: Int64 = 0
        for digit in digits {
            guard digit >= zero, digit <= zero + 9 else { return nil }
            let (tens, overflowOfTens) = sum.multipliedReportingOverflow(by: 10)
            let (next, overflow) = tens.subtractingReportingOverflow(Int64(digit - zero))
            if overflowOfTens || overflow { return nil }
            sum = next
        }
        if isNegative { return sum }
        return sum == Int64.min ? nil : -sum
    }
}

extension RedisValue {
    /// The fields of an array that alternates names and values.
    package var fields: [String: RedisValue] {
        guard let flat = array else { return [:] }
        var fields: [String: RedisValue] = [:]
        for at in stride(from: 0, to: flat.count - 1, by: 2) {
            if let name = flat[at].string { fields[name] = flat[at + 1] }
        }
        return fields
    }

    /// The values of a reply to INFO, by name.
    package var info: [String: String] {
        var info: [String: String] = [:]
        for line in (string ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { info[String(parts[0])] = String(parts[1]) }
        }
        return info
    }
}
