import Glibc

/// Represents paths as `String`. A file name need not be UTF-8, but a `String` always is: bytes that are not UTF-8 are
/// represented by scalars of a private-use plane, and are converted back to bytes in system calls.
///
/// So all paths here are `String`s, created from outside input by `text` and passed to the system by `withCString`,
/// which `FilePath+system.swift` does for each call. No other code may pass a path to the system or to a library: that
/// would name a different file.
package enum FilePath {
    /// U+10FF80 to U+10FFFF represent the bytes 0x80 to 0xFF.
    private static let base: UInt32 = 0x10_FF00

    /// Returns the byte that a scalar represents, or nil.
    package static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= base + 0x80 ? UInt8(scalar.value - base) : nil
    }

    package static func isUTF8(_ path: String) -> Bool { !path.unicodeScalars.contains { byte(of: $0) != nil } }

    /// Converts an argument, a variable or a path from the system.
    package static func text(_ cString: UnsafePointer<CChar>) -> String {
        text(UnsafeBufferPointer(start: cString, count: strlen(cString)).map { UInt8(bitPattern: $0) })
    }

    package static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), isUTF8(text) { return text }
        var text = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while let byte = rest.first {
            var parser = Unicode.UTF8.ForwardParser()
            var next = rest.makeIterator()
            // A scalar that represents a byte is also converted byte by byte: each name has exactly one text.
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

    /// Returns the bytes of the file's name in the system.
    package static func bytes(_ path: some StringProtocol) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.utf8.count)
        for scalar in path.unicodeScalars {
            if let byte = byte(of: scalar) {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return bytes
    }

    /// Calls `body` with the bytes of the file's name in the system.
    package static func withCString<T>(_ path: String, _ body: (UnsafePointer<CChar>) throws -> T) rethrows -> T {
        if isUTF8(path) { return try path.withCString(body) }
        return try body(bytes(path).map { CChar(bitPattern: $0) } + [0])
    }

    /// Returns the absolute path; unchanged if the system does not report the working directory.
    package static func absolute(_ path: String) -> String {
        if isAbsolute(path) { return path }
        guard let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return text(folder) + "/" + path
    }

    // These compare scalars: a name that begins with a combining accent forms one character with the slash before it.

    package static func isAbsolute(_ path: String) -> Bool { path.unicodeScalars.first == "/" }

    /// Returns the folder part of a path, "." if the path has none.
    package static func folder(of path: String) -> String {
        let scalars = path.unicodeScalars
        guard let slash = scalars.lastIndex(of: "/") else { return "." }
        return slash == scalars.startIndex ? "/" : String(scalars[..<slash])
    }
}
