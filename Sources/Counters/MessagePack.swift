/// What Redis' scripts read with `cmsgpack.unpack`: many numbers in one argument. With one argument per number, Redis
/// would allocate an object and Lua a string for each.
enum MessagePack {
    /// An array of integers, each in as few bytes as it takes.
    static func array(_ numbers: [Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 2 + 5)
        func append(_ tag: UInt8, _ value: some FixedWidthInteger) {
            bytes.append(tag)
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        append(0xDD, UInt32(numbers.count))
        for number in numbers {
            switch number {
            case 0..<0x80: bytes.append(UInt8(number))
            case 0x80..<0x1_0000: append(0xCD, UInt16(number))
            case 0x1_0000..<0x1_0000_0000: append(0xCE, UInt32(number))
            case 0x1_0000_0000...: append(0xCF, UInt64(number))
            case (-0x20)...: bytes.append(UInt8(bitPattern: Int8(number)))
            case (-0x8000)...: append(0xD1, Int16(number))
            case (-0x8000_0000)...: append(0xD2, Int32(number))
            default: append(0xD3, number)
            }
        }
        return bytes
    }
}
