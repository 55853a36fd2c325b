/// Where a text stops being JSON, and why.
///
/// The message states what was expected and only the kind of character that was found, so it can be logged and stored
/// even if the text contains a customer's data.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The bytes are not UTF-8 (checked first).
        case invalidUTF8
        /// The text is not JSON as defined by RFC 8259.
        case syntax
        /// Containers are nested more deeply than `JSONScanner.maximumDepth`.
        case tooDeep
        /// An object contains a key twice. RFC 8259 leaves the meaning open and parsers differ, so it is refused.
        case duplicateKey
    }

    package let kind: Kind
    /// The offset of the invalid byte, from 0; the text's length if the text ends too early.
    package let offset: Int
    /// The line, from 1; lines end at U+000A.
    package let line: Int
    /// The column, from 1, in Unicode scalars.
    package let column: Int
    /// For example "expected a value, found a comma"; it follows the position.
    package let message: String

    package var description: String { "line \(line), column \(column): \(message)" }

    /// - Parameters:
    ///   - offset: the offset in the array that `bytes` is a slice of.
    ///   - bytes: the text.
    init(_ kind: Kind, at offset: Int, in bytes: ArraySlice<UInt8>, _ message: String) {
        var line = 1
        var column = 1
        for byte in bytes[..<offset] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.kind = kind
        self.offset = offset - bytes.startIndex
        self.line = line
        self.column = column
        self.message = message
    }

    /// Names the kind of character at `offset`, but never a letter or digit itself.
    static func found(at offset: Int, in bytes: ArraySlice<UInt8>) -> String {
        guard offset < bytes.endIndex else { return "the end" }
        switch bytes[offset] {
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return "a digit"
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): return "a letter"
        case 0x00..<0x20, 0x7F: return "a control character"
        case 0x20: return "a blank"
        case 0x80...: return "a character beyond ASCII"
        case let byte: return "\(Character(Unicode.Scalar(byte)))"
        }
    }
}
