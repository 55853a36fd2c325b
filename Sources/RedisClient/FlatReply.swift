/// A reply as it came: its values in their order, and the bytes of all its strings in one array.
///
/// `RedisConnection.send` makes a tree of it (`value`), which is easier to read. A large reply is better walked as it
/// is (`Walk`): in a tree, each of its values is an allocation.
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
        /// For a string: where its bytes begin.
        var start: UInt32 = 0
        /// An integer's value; how many bytes a string has, or elements an array, which are the tokens that follow.
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

    /// The error, if that is the whole reply.
    var error: RedisReplyError? {
        if case .error = tokens[0].kind, case .error(let error) = value { error } else { nil }
    }

    package var isNull: Bool { tokens[0].kind == .null }

    /// All of it as a tree.
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

    /// Iterates over a reply's values in their order. A value of another kind than requested is skipped, with
    /// everything in it.
    package struct Walk {
        fileprivate let reply: FlatReply
        private var at = 0

        fileprivate init(reply: FlatReply) { self.reply = reply }

        /// The number of elements of the next value, an array, whose elements are then next; nil if it is not an array.
        package mutating func array() -> Int? {
            guard at < reply.tokens.count, reply.tokens[at].kind == .array else {
                skip()
                return nil
            }
            at += 1
            return Int(reply.tokens[at - 1].number)
        }

        /// The place in `bytes` of the next value, a bulk string; nil if it is not one.
        package mutating func string() -> Range<Int>? {
            guard at < reply.tokens.count, reply.tokens[at].kind == .bulk else {
                skip()
                return nil
            }
            at += 1
            return reply.place(of: reply.tokens[at - 1])
        }

        /// The next value's text, a bulk string of UTF-8; nil if it is not one.
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
