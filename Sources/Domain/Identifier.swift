/// The id of a product, a variant, an order or a cancellation, compared byte by byte.
///
/// `String` compares by canonical equivalence, so two ids that differ only in how an accent is composed would be one
/// key in a Swift dictionary and two in SQLite and Redis. Like SQLite and Redis, `Identifier` compares, sorts and
/// hashes the UTF-8 bytes.
package struct Identifier: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The maximum length of an id in a message or a catalogue, in UTF-8 bytes.
    package static let maximumBytes = 255

    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { text }

    package static func == (left: Identifier, right: Identifier) -> Bool {
        left.text.withBytes { left in
            right.text.withBytes { right in left.count == right.count && left.elementsEqual(right) }
        }
    }

    package static func < (left: Identifier, right: Identifier) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        text.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Returns why `text` is not a valid id, or nil. A valid id has 1–255 bytes and no control characters.
    package static func violation(in text: String) -> String? {
        let bytes = text.utf8.count
        if bytes == 0 { return "is empty" }
        if bytes > maximumBytes { return "has \(bytes) bytes; at most \(maximumBytes) are allowed" }
        return text.withBytes { containsControlCharacter($0) } ? "contains a control character" : nil
    }

    private static func containsControlCharacter(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // Searches the bytes for U+0000–U+001F, U+007F and U+0080–U+009F (C2 80 – C2 9F): tens of thousands of ids are
        // checked per second, and looking up the category of every scalar took a tenth of the decoding time.
        var previous: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) { return true }
            previous = byte
        }
        return false
    }
}

extension String {
    /// Calls `body` with the UTF-8 bytes; a string that was created from bytes is not copied.
    fileprivate func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        var copy = self
        return copy.withUTF8(body)
    }
}

extension Identifier: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}
