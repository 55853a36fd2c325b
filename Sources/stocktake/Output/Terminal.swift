import Glibc
import Files
import StrictJSON

/// Prints a line to standard output. Shadows Swift's own `print`, which does not report a full disk.
///
/// External text is escaped, here and in the other functions that print, so that it cannot break the line.
func print(_ line: String) {
    StandardOutput.write(line.printable + "\n")
}

/// Prints a line to standard error.
func printError(_ line: String) {
    writeError(line.printable + "\n")
}

/// Prints a JSON value as one line. Escapes are those of JSON, so the value stays the same.
func printJSON(_ value: JSONValue) { printJSON(value.text) }

/// - Parameter text: JSON.
func printJSON(_ text: String) { print(text.withPathBytesAsJSON) }

/// Writes unbuffered, like standard error itself, and after everything that was logged before.
private func writeError(_ text: String) {
    LineWriter.standardError.write(raw: text)
    LineWriter.standardError.flush()
}

/// Shows the progress of long work on one line of a terminal, which is overwritten; prints nothing to a pipe.
struct Progress: Sendable {
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        guard isShown else { return }
        // Return to the first column and clear the line.
        writeError("\r\u{1B}[2K\(text)")
    }

    /// Clears the line.
    func end() {
        show("")
    }
}

/// A table of text in aligned columns.
struct Table {
    enum Alignment { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ columns: [(String, Alignment)]) {
        self.columns = columns.map { ($0.0, $0.1) }
    }

    mutating func add(_ cells: [String]) { rows.append(cells.map(\.printable)) }

    /// The titles and the rows as lines without trailing blanks.
    var lines: [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                line += (index > 0 ? "  " : "") + (columns[index].alignment == .left ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    func print() {
        StandardOutput.write(lines.map { $0 + "\n" }.joined())
    }
}

extension String {
    /// The text with everything escaped that could control a terminal, start a line or change the text direction. The
    /// escapes are those of JSON, so JSON keeps its meaning. Bytes of a path that are not UTF-8 are shown as `\xE9`.
    var printable: String {
        guard unicodeScalars.contains(where: \.mustBeEscaped) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if let byte = FilePath.byte(of: scalar) {
                text += "\\x" + String(byte, radix: 16, uppercase: true)
            } else if scalar.mustBeEscaped {
                text += scalar.escaped
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension String {
    /// Scalars that stand for bytes of a path are escaped as in JSON, which has no escape `\xE9`.
    fileprivate var withPathBytesAsJSON: String {
        guard unicodeScalars.contains(where: { FilePath.byte(of: $0) != nil }) else { return self }
        return unicodeScalars.map { scalar in
            guard FilePath.byte(of: scalar) != nil else { return String(scalar) }
            return UTF16.encode(scalar)?.map { "\\u" + String($0, radix: 16, uppercase: true) }.joined() ?? ""
        }.joined()
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character, a line separator or a bidirectional control, which can make a text look like
    /// another one, or stands for a byte of a path.
    fileprivate var mustBeEscaped: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: FilePath.byte(of: self) != nil
        }
    }

    fileprivate var escaped: String {
        switch self {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(value, radix: 16, uppercase: true)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}
