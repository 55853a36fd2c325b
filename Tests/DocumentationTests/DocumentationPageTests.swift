import Foundation
import Testing

/// Pages can be followed, and are written in plain technical English.
@Suite struct DocumentationPageTests {
    @Test("links only to files and headings that exist")
    func links() throws {
        let link = /\]\(([^)\s]+)\)/
        for page in try Repository.pages {
            let text = try Repository.text(of: page)
            let folder = (page as NSString).deletingLastPathComponent
            for target in text.matches(of: link).map({ String($0.1) }) where !target.contains("://") {
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? page : (folder as NSString).appendingPathComponent(String(parts[0]))
                #expect(FileManager.default.fileExists(atPath: path), "\(page): \(target)")
                if parts.count == 2, path.hasSuffix(".md"), FileManager.default.fileExists(atPath: path) {
                    #expect(try Self.anchors(of: path).contains(String(parts[1])), "\(page): \(target)")
                }
            }
        }
    }

    /// As the usual renderers make them from headings.
    private static func anchors(of page: String) throws -> Set<String> {
        var isCode = false
        var anchors: Set<String> = []
        for line in try Repository.text(of: page).split(separator: "\n") {
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode, line.hasPrefix("#") else { continue }
            let heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            anchors.insert(
                String(
                    heading.compactMap { character in
                        if character == " " { return "-" }
                        return character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
                    }))
        }
        return anchors
    }

    @Test("names only files and folders that exist")
    func paths() throws {
        let roots = ["Sources/", "Tests/", "scripts/", "lua/", "config/", "docs/"]
        // Placeholders, patterns, and what tests and builds make.
        let placeholders = ["NAME", "TYPE", "*", "{", "…", " ", "<"]
        for page in try Repository.pages where !page.hasPrefix("docs/decisions/") && page != "CHANGELOG.md" {
            for code in Repository.code(in: try Repository.text(of: page))
            where roots.contains(where: code.hasPrefix) && !placeholders.contains(where: code.contains) {
                let path = code.split(separator: ":")[0]
                #expect(FileManager.default.fileExists(atPath: String(path)), "\(page): \(code)")
            }
        }
    }

    @Test("keeps README.md to two screens")
    func readmeLength() throws {
        #expect(
            try Repository.text(of: "README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 201)
    }

    /// Everyday words where the field has terms: "again", "reports", "allocates", "depends on" are better.
    @Test("avoids words that a reader would have to translate")
    func words() throws {
        let words =
            /\b(?:anew|hangs on|(?:is|are|was|were) told|told by|nobody|somebody|whoever|sets? aside|looked after|goes past|a hand)\b/
            .ignoresCase()
        let files =
            try Repository.pages + Repository.files(below: "Sources", endingIn: ".swift")
            + Repository.files(below: "Tests", endingIn: ".swift")
            + Repository.files(below: "lua", endingIn: ".lua", ".swift")
        var found: [String] = []
        for file in files where file != "Tests/DocumentationTests/DocumentationPageTests.swift" {
            for (number, line) in try Repository.text(of: file).components(separatedBy: "\n").enumerated() {
                if line.contains(words) { found.append("\(file):\(number + 1)") }
            }
        }
        #expect(found.count <= 40, "\(found.joined(separator: "\n"))")
    }
}
