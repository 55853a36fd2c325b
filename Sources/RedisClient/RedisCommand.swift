import NIOCore

/// A command in the form in which it is sent: RESP, an array of bulk strings.
///
/// Arguments are encoded as they are appended, so a batch of 10,000 costs one growing buffer. The header with their
/// number is kept right-aligned in a space left free before them and counted up in place: at every moment the buffer
/// is a complete command, and sending it twice (after NOSCRIPT, say) copies nothing.
package struct RedisCommand: Sendable {
    /// Names the command in errors: its words, without arguments.
    package let name: String
    /// Words of the name included.
    private(set) var count = 0
    private(set) var encoded: ByteBuffer
    /// An argument was left out because of `maximumBytes`; the command is refused when it is sent.
    private(set) var isTooLarge = false

    /// `client-query-buffer-limit` of Redis, which closes the connection of whoever sends more.
    package static let maximumBytes = 1 << 30

    /// `*`, up to 19 digits, CR, LF.
    private static let headroom = 22

    /// - Parameter name: one word or more (`"XGROUP CREATE"`), each of which is sent as an argument. A constant, as it
    ///   appears in errors.
    package init(_ name: String, _ arguments: String...) {
        self.init(name, capacity: arguments.reduce(0) { $0 + $1.utf8.count + 16 })
        for argument in arguments { append(argument) }
    }

    /// - Parameter capacity: bytes to set aside for the arguments; it grows beyond them by itself.
    package init(_ name: String, capacity: Int) {
        self.name = name
        encoded = ByteBufferAllocator().buffer(
            capacity: Self.headroom + name.utf8.count + 16 + max(0, min(capacity, Self.maximumBytes)))
        encoded.writeRepeatingByte(UInt8(ascii: "0"), count: Self.headroom)
        encoded.setString("*0\r\n", at: Self.headroom - 4)
        encoded.moveReaderIndex(to: Self.headroom - 4)
        for word in name.split(separator: " ") { append(String(word)) }
    }

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
        // "$", 19 digits and twice CR LF.
        let framing = 24
        guard bytes.count <= Self.maximumBytes, encoded.writerIndex + bytes.count + framing <= Self.maximumBytes else {
            isTooLarge = true
            return
        }
        encoded.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + framing) { target in
            var end = 0
            func put(_ byte: UInt8) {
                target[end] = byte
                end += 1
            }
            put(UInt8(ascii: "$"))
            var length = String(bytes.count)
            length.withUTF8 { for digit in $0 { put(digit) } }
            put(UInt8(ascii: "\r"))
            put(UInt8(ascii: "\n"))
            if !bytes.isEmpty {
                UnsafeMutableRawBufferPointer(rebasing: target[end...]).copyMemory(from: bytes)
                end += bytes.count
            }
            put(UInt8(ascii: "\r"))
            put(UInt8(ascii: "\n"))
            return end
        }
        countOneMore()
    }

    /// Adds 1 to the decimal number in the header; a new digit moves `*` and the start of the command to the left.
    private mutating func countOneMore() {
        count += 1
        var position = Self.headroom - 3
        while position > encoded.readerIndex {
            let digit = encoded.getInteger(at: position, as: UInt8.self) ?? UInt8(ascii: "0")
            if digit < UInt8(ascii: "9") {
                encoded.setInteger(digit + 1, at: position)
                return
            }
            encoded.setInteger(UInt8(ascii: "0"), at: position)
            position -= 1
        }
        encoded.moveReaderIndex(to: position - 1)
        encoded.setInteger(UInt8(ascii: "1"), at: position)
        encoded.setInteger(UInt8(ascii: "*"), at: position - 1)
    }
}

extension RedisCommand: CustomStringConvertible {
    /// Without arguments: these may be passwords or belong to customers.
    package var description: String { "\(name) (\(count) words)" }
}
