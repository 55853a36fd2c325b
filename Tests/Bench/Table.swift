import Foundation

/// The report for people: one line per result, and one for each value that it is compared with.
enum Table {
    static func text(_ report: Report) -> String {
        var lines: [[String]] = []
        for row in report.rows {
            let isReached = row.isReached.map { $0 ? "yes" : "NO" } ?? ""
            lines.append([
                row.figure, row.goal, "ours", spread(row.ours, row, report), row.ratio.map { ratio($0) } ?? "",
                isReached,
            ])
            for other in row.others { lines.append(["", "", other.name, spread(other.samples, row, report), "", ""]) }
        }
        let head = ["figure", "goal", "of", "median (least–most)", "ratio", "reached"]
        let widths = head.indices.map { column in ([head] + lines).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "──")
        var text = ([line(head), rule] + lines.map(line)).joined(separator: "\n")
        for row in report.rows where !row.note.isEmpty { text += "\n\(row.figure): \(row.note)" }
        for leftOut in report.leftOut { text += "\nLeft out: \(leftOut)" }
        for failed in report.failed { text += "\nFAILED: \(failed)" }
        return text + "\n" + summary(report)
    }

    private static func summary(_ report: Report) -> String {
        let goals = report.rows.compactMap(\.isReached)
        let kind = report.scale.isQuick ? "A quick run: sizes are small, results show the order of magnitude. " : ""
        let machine = report.machine
        return """

            \(kind)\(goals.count { $0 }) of \(goals.count) goals reached; \(report.scale.rounds) rounds, \
            \(Int(report.seconds)) s. \(machine.cores) cores (\(machine.processor)), \(machine.fileSystem); \
            Redis \(machine.redis), SQLite \(machine.sqlite), PostgreSQL \(machine.postgres). A flush to the disk took \
            \(spread(report.flush)).
            """
    }

    private static func spread(_ samples: Samples) -> String {
        "\(number(samples.median)) ms (\(number(samples.least))–\(number(samples.most)))"
    }

    private static func spread(_ samples: Samples, _ row: Row, _ report: Report) -> String {
        if samples.isEmpty { return "–" }
        let median = "\(number(samples.median))\(row.unit.rawValue)"
        let rounds = samples.rounds.count
        if rounds == 1 { return "\(median) (one round)" }
        let fewer = rounds < report.scale.rounds ? ", \(rounds) rounds" : ""
        return "\(median) (\(number(samples.least))–\(number(samples.most))\(fewer))"
    }

    private static func ratio(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.0f", value) }

    /// Three significant digits, and commas between thousands.
    static func number(_ value: Double) -> String {
        if abs(value) < 10 { return String(format: "%.2f", value) }
        if abs(value) < 100 { return String(format: "%.1f", value) }
        var digits = String(format: "%.0f", value)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
