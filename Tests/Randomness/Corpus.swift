import Foundation

/// An input that is stored as a file: an edge case, or an input on which a fuzz test has failed.
///
/// The files are `Corpus/VERDICT/NAME.txt` next to the tests, in folders by the expected result (`accepted`,
/// `refused`); the name describes the case. A file contains text with escapes, so that it can represent any bytes and
/// is still readable: `\n`, `\r`, `\t`, `\\` and `\xNN` stand for bytes, newlines are ignored, and a line that starts
/// with `#` is a comment.
package struct Corpus: Sendable, CustomStringConvertible {
    /// The folders that contain the file, from the outermost inwards.
    package let folders: [String]
    package let name: String
    package let bytes: [UInt8]

    package var description: String { (folders + [name]).joined(separator: "/") }

    /// Returns all cases in `Corpus`, or in a folder with another name, next to the calling source file.
    package static func cases(in folder: String = "Corpus", beside file: String = #filePath) throws -> [Corpus] {
        let root = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(folder).path
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".txt") }
        return try paths.sorted().map { path in
            let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
            var parts = path.split(separator: "/").map(String.init)
            let name = String(parts.removeLast().dropLast(".txt".count))
            guard let bytes = bytes(of: text) else { throw CorpusError(description: "\(path): an invalid escape") }
            return Corpus(folders: parts, name: name, bytes: bytes)
        }
    }

    /// Encodes bytes in the format of a corpus file.
    package static func text(of bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\t"): text += "\\t"
            case UInt8(ascii: "\\"): text += "\\\\"
            case UInt8(ascii: "#") where text.isEmpty: text += "\\x23"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text
    }

    /// Decodes the text of a corpus file; nil if it contains an invalid escape.
    package static func bytes(of text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            var rest = line
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "\\") else {
                    bytes.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
                case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "x"):
                    guard let escaped = UInt8(Substring(rest.prefix(2)), radix: 16), rest.count >= 2 else { return nil }
                    bytes.append(escaped)
                    rest.removeFirst(2)
                default: return nil
                }
            }
        }
        return bytes
    }
}

private struct CorpusError: Error, CustomStringConvertible {
    var description: String
}
