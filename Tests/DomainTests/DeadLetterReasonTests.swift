import Foundation
import Domain
import Testing

@Suite("Reasons of dead letters")
struct DeadLetterReasonTests {
    @Test("docs/messages.md has a row for each, in this order: reason, meaning, what to do")
    func docs() throws {
        let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        let text = try String(contentsOf: project.appending(path: "docs/messages.md"), encoding: .utf8)
        let heading = try #require(text.range(of: "\n## Dead letters\n"))
        let rows = text[heading.upperBound...].split(separator: "\n").filter { $0.hasPrefix("| `") }.map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows.map { $0[0] } == DeadLetterReason.allCases.map { "`\($0.rawValue)`" })
        for row in rows { #expect(row.count == 3 && row.allSatisfy { !$0.isEmpty }, "\(row)") }
    }
}
