import Glibc
import StrictJSON

/// Prints to standard error, a line.
func printError(_ text: String) {
    writeError(text + "\n")
}

/// Prints a JSON value as one line.
func printJSON(_ value: JSONValue) {
    print(value.text)
}

/// Unbuffered, like standard error itself, and behind what was logged before.
private func writeError(_ text: String) {
    LineWriter.standardError.write(raw: text)
    LineWriter.standardError.flush()
}

/// Progress of long work, on one line of a terminal that is written over; nothing in a pipe.
struct Progress: Sendable {
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        guard isShown else { return }
        // Back to the first column, and clear what stood there.
        writeError("\r\u{1B}[2K\(text)")
    }

    /// Clears the line.
    func end() {
        show("")
    }
}

/// Text in columns, numbers to the right.
struct Table {
    enum Alignment { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ columns: [(String, Alignment)]) {
        self.columns = columns.map { ($0.0, $0.1) }
    }

    mutating func add(_ cells: [String]) { rows.append(cells.map(\.printable)) }

    /// The lines, with the titles first and no blanks at their ends.
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
        for line in lines { Swift.print(line) }
    }
}

extension String {
    /// The text without control characters but for line ends and tabs: what came from outside must not steer a terminal.
    var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return text
    }
}

extension Int64 {
    /// With commas between thousands: 1,234,567.
    var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (self < 0 ? "-" : "") + text
    }
}

extension Int {
    var grouped: String { Int64(self).grouped }

    /// "1 order", "2,000 orders".
    func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}
