import ArgumentParser
import Ledger
import Files
import SQLiteLedger
import TextEncodings

/// Parses the `ledger` setting: `sqlite:///path` or a plain path. Only this type knows which backends exist.
enum LedgerURL {
    /// The location that `text` names.
    /// - Parameter text: not empty; a path in it is relative to the working directory and may contain any bytes.
    static func location(_ text: String) throws -> any LedgerLocation {
        guard let (scheme, rest) = parts(text) else { return file(FilePath.absolute(text)) }
        // The error omits the rest of the URL, which may contain a password.
        guard scheme == "sqlite" else {
            throw ValidationError(
                "The ledger's URL begins with \(scheme)://; only sqlite:///PATH, or a path, is supported.")
        }
        let bytes = FilePath.bytes(rest)
        guard bytes.first == UInt8(ascii: "/"), bytes.count > 1 else {
            throw ValidationError(
                "The ledger's URL names no absolute path. Write sqlite:///var/lib/ledger.sqlite, with three slashes.")
        }
        guard !bytes.contains(UInt8(ascii: "?")), !bytes.contains(UInt8(ascii: "#")),
            let path = PercentEncoding.decode(bytes), !path.contains(0)
        else {
            throw ValidationError(
                "The ledger's URL has a parameter or an invalid % escape. In a path write %3F for ?, %23 for #, %25 for %."
            )
        }
        return file(FilePath.text(path))
    }

    /// The location of a SQLite ledger.
    /// - Parameter path: absolute.
    static func file(_ path: String) -> any LedgerLocation { SQLiteLedgerLocation(path: path) }

    /// The scheme and the rest of a URL; nil if `text` is a path.
    private static func parts(_ text: String) -> (scheme: String, rest: Substring)? {
        guard let range = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<range.lowerBound]
        let isScheme =
            scheme.first?.isASCIILetter == true
            && scheme.allSatisfy { $0.isASCIILetter || $0.isASCII && $0.isNumber || "+-.".contains($0) }
        return isScheme ? (scheme.lowercased(), text[range.upperBound...]) : nil
    }
}

extension Character {
    fileprivate var isASCIILetter: Bool { isASCII && isLetter }
}
