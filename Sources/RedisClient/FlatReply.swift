/// A reply in flat form: its values in order, and the bytes of all its strings in one array.
///
/// `RedisConnection.send` converts it to a tree (`value`), which is easier to read. Walk large replies instead
/// (`Walk`): a tree takes one allocation per value.
package final class FlatReply: Sendable {
    enum Kind: UInt8, Sendable {
        case null
        case simple
        case integer
        case bulk
        case array
        case error
    }

    struct Token: Sendable {
        var kind: Kind
        /// For a string: the offset of its bytes.
        var start: UInt32 = 0
        /// An integer's value, the number of bytes of a string, or the number of elements of an array; these are the
        /// tokens that follow.
        var number: Int64 = 0
    }

    /// At least one.
    private let tokens: [Token]
    /// The bytes of all strings; less than 4 GiB.
    package let bytes: [UInt8]

    init(tokens: [Token], bytes: [UInt8]) {
        self.tokens = tokens
        self.bytes = bytes
    }

    /// The error, if the whole reply is one.
    var error: RedisReplyError? {
        if case .error = tokens[0].kind, case .error(let error) = value { error } else { nil }
    }

    package var isNull: Bool { tokens[0].kind == .null }

    /// The whole reply as a tree.
    package var value: RedisValue {
        var at = 0
        return tree(&at)
    }

    private func tree(_ at: inout Int) -> RedisValue {
        let token = tokens[at]
        at += 1
        switch token.kind {
        case .null: return .null
        case .integer: return .integer(token.number)
        case .simple: return .simple(String(decoding: bytes[place(of: token)], as: UTF8.self))
        case .error:
            return .error(RedisReplyError(message: String(decoding: bytes[place(of: token)], as: UTF8.self)))
        case .bulk: return .bulk([UInt8](bytes[place(of: token)]))
        case .array:
            var elements: [RedisValue] = []
            elements.reserveCapacity(Int(token.number))
            for _ in 0..<token.number { elements.append(tree(&at)) }
            return .array(elements)
        }
    }

    private func place(of token: Token) -> Range<Int> { Int(token.start)..<Int(token.start) + Int(token.number) }

    package func walk() -> Walk { Walk(reply: self) }

    /// Iterates over a reply's values in order. A value of a kind other than requested is skipped with its elements.
    package struct Walk {
        fileprivate let reply: FlatReply
        private var at = 0

        fileprivate init(reply: FlatReply) { self.reply = reply }

        /// The number of elements of the next value if it is an array, and nil otherwise. Its elements are the next
        /// values.
        package mutating func array() -> Int? {
            guard at < reply.tokens.count, reply.tokens[at].kind == .array else {
                skip()
                return nil
            }
            at += 1
            return Int(reply.tokens[at - 1].number)
        }

        /// The range in `bytes` of the next value if it is a bulk string, and nil otherwise.
        package mutating func string() -> Range<Int>? {
            guard at < reply.tokens.count, reply.tokens[at].kind == .bulk else {
                skip()
                return nil
            }
            at += 1
            return reply.place(of: reply.tokens[at - 1])
        }

        /// The text of the next value if it is a bulk string of UTF-8, and nil otherwise.
        package mutating func text() -> String? {
            guard let place = string() else { return nil }
            return reply.bytes.withUnsafeBytes { String(validating: $0[place], as: UTF8.self) }
        }

        package mutating func skip() {
            var left = 1
            while left > 0, at < reply.tokens.count {
                left -= 1
                if reply.tokens[at].kind == .array { left += Int(reply.tokens[at].number) }
                at += 1
            }
        }
    }
}
