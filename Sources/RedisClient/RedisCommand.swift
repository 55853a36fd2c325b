import NIOCore

/// A command in the form in which it is sent: RESP, an array of bulk strings.
///
/// Arguments are encoded as they are appended, so a batch of 10,000 costs one growing buffer. The array header, which
/// needs their number, is prepended when the command is sent.
package struct RedisCommand: Sendable {
    /// The command's words without arguments, for errors.
    package let name: String
    /// The number of arguments so far, including the words of the name.
    private(set) var count = 0
    /// The encoded arguments.
    private var body: ByteBuffer
    /// Whether an argument was left out because of `maximumBytes`; sending the command then fails.
    private(set) var isTooLarge = false

    /// Redis' `client-query-buffer-limit`: it closes the connection of a client that sends more.
    package static let maximumBytes = 1 << 30

    /// - Parameter name: one or more words (`"XGROUP CREATE"`), each sent as an argument. Must be a constant, because
    ///   it appears in errors.
    package init(_ name: String, _ arguments: String...) {
        self.init(name, capacity: arguments.reduce(0) { $0 + $1.utf8.count + 16 })
        for argument in arguments { append(argument) }
    }

    /// - Parameter capacity: bytes to allocate for the arguments; the buffer grows as needed.
    package init(_ name: String, capacity: Int) {
        self.name = name
        body = ByteBufferAllocator().buffer(
            capacity: name.utf8.count + 16 + max(0, min(capacity, Self.maximumBytes)))
        for word in name.split(separator: " ") { append(String(word)) }
    }

    /// The command's bytes, in buffers to be written in order, without a copy.
    var encoded: [ByteBuffer] { [ByteBuffer(string: "*\(count)\r\n"), body] }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append(bytes: $0) }
    }

    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { append(bytes: $0) }
    }

    package mutating func append(_ number: Int64) {
        append(String(number))
    }

    package mutating func append(_ number: Int) {
        append(String(number))
    }

    package mutating func append(contentsOf texts: some Sequence<String>) {
        for text in texts { append(text) }
    }

    private mutating func append(bytes: UnsafeRawBufferPointer) {
        // "$", 19 digits and CR LF twice.
        let framing = 24
        guard bytes.count <= Self.maximumBytes, body.writerIndex + bytes.count + framing <= Self.maximumBytes else {
            isTooLarge = true
            return
        }
        body.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + framing) { target in
            Self.frame(bytes, into: target)
        }
        count += 1
    }

    /// Writes a bulk string.
    /// - Returns: its size in bytes.
    private static func frame(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        let end = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        var digits = 1
        var bound = 10
        while bytes.count >= bound {
            digits += 1
            bound *= 10
        }
        target[0] = UInt8(ascii: "$")
        var rest = bytes.count
        for place in stride(from: digits, to: 0, by: -1) {
            target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        (target[digits + 1], target[digits + 2]) = end
        let start = digits + 3
        if !bytes.isEmpty { UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: bytes) }
        (target[start + bytes.count], target[start + bytes.count + 1]) = end
        return start + bytes.count + 2
    }
}

extension RedisCommand: CustomStringConvertible {
    /// Omits the arguments, which may be passwords or customer data.
    package var description: String { "\(name) (\(count) words)" }
}
