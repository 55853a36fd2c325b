/// An array that Redis' scripts read with `cmsgpack.unpack`. It passes many values in one argument: with one argument
/// per value, Redis would allocate an object for each.
struct MessagePackArray {
    private static let headerBytes = 5
    private var encoded: [UInt8]
    private var count: UInt32 = 0

    /// Creates an empty array.
    /// - Parameter capacity: bytes to allocate for the elements; more are allocated if needed.
    init(capacity: Int) {
        encoded = Array(repeating: 0, count: Self.headerBytes)
        encoded.reserveCapacity(Self.headerBytes + capacity)
    }

    /// Returns the encoded array.
    consuming func bytes() -> [UInt8] {
        encoded[0] = 0xDD
        for place in 1..<Self.headerBytes { encoded[place] = UInt8(truncatingIfNeeded: count >> (32 - 8 * place)) }
        return encoded
    }

    /// Appends an integer in as few bytes as possible.
    mutating func append(_ number: Int64) {
        count += 1
        switch number {
        case 0..<0x80: encoded.append(UInt8(number))
        case 0x80..<0x1_0000: append(0xCD, UInt16(number))
        case 0x1_0000..<0x1_0000_0000: append(0xCE, UInt32(number))
        case 0x1_0000_0000...: append(0xCF, UInt64(number))
        case (-0x20)...: encoded.append(UInt8(bitPattern: Int8(number)))
        case (-0x8000)...: append(0xD1, Int16(number))
        case (-0x8000_0000)...: append(0xD2, Int32(number))
        default: append(0xD3, number)
        }
    }

    /// Appends a string.
    /// - Parameter text: at most 4 GiB, more than Redis accepts in a command.
    mutating func append(_ text: String) {
        count += 1
        var text = text
        text.withUTF8 { utf8 in
            switch utf8.count {
            case 0..<0x20: encoded.append(0xA0 | UInt8(utf8.count))
            case 0x20..<0x100: append(0xD9, UInt8(utf8.count))
            case 0x100..<0x1_0000: append(0xDA, UInt16(utf8.count))
            default: append(0xDB, UInt32(utf8.count))
            }
            encoded.append(contentsOf: utf8)
        }
    }

    private mutating func append(_ tag: UInt8, _ value: some FixedWidthInteger) {
        encoded.append(tag)
        withUnsafeBytes(of: value.bigEndian) { encoded.append(contentsOf: $0) }
    }
}
