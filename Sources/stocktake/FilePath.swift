import Glibc

/// A file's name need not be UTF-8, a `String` always is: its bytes that are not stand in it as scalars of a private
/// plane, and become bytes again where the system is asked.
///
/// Only files that a command reads itself may have such a name. A ledger's goes through libraries that take a `String`
/// for what it is, so there it is refused.
enum FilePath {
    /// U+10FF80 to U+10FFFF stand for 0x80 to 0xFF.
    private static let base: UInt32 = 0x10_FF00

    /// The byte for which a scalar stands, or nil.
    static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= base + 0x80 ? UInt8(scalar.value - base) : nil
    }

    static func isUTF8(_ path: String) -> Bool { !path.unicodeScalars.contains { byte(of: $0) != nil } }

    /// An argument or a variable as the system gives it.
    static func text(_ cString: UnsafePointer<CChar>) -> String {
        let bytes = UnsafeBufferPointer(start: cString, count: strlen(cString)).map { UInt8(bitPattern: $0) }
        if let text = String(validating: bytes, as: UTF8.self), isUTF8(text) { return text }
        var text = String.UnicodeScalarView()
        var rest = bytes[...]
        while let byte = rest.first {
            var parser = Unicode.UTF8.ForwardParser()
            var next = rest.makeIterator()
            // What stands for a byte is not taken for itself either: each name has one text.
            if case .valid(let encoded) = parser.parseScalar(from: &next), encoded.count > 0,
                Self.byte(of: Unicode.UTF8.decode(encoded)) == nil
            {
                text.append(Unicode.UTF8.decode(encoded))
                rest = rest.dropFirst(encoded.count)
            } else {
                text.append(Unicode.Scalar(base + UInt32(byte)) ?? "\u{FFFD}")
                rest = rest.dropFirst()
            }
        }
        return String(text)
    }

    /// Calls `body` with the bytes that the system knows the file by.
    static func withCString<T>(_ path: String, _ body: (UnsafePointer<CChar>) throws -> T) rethrows -> T {
        if isUTF8(path) { return try path.withCString(body) }
        var bytes: [CChar] = []
        for scalar in path.unicodeScalars {
            if let byte = byte(of: scalar) {
                bytes.append(CChar(bitPattern: byte))
            } else {
                bytes += String(scalar).utf8.map { CChar(bitPattern: $0) }
            }
        }
        return try body(bytes + [0])
    }
}
