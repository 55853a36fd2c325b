import Foundation

/// The files of the project, as the tests find them: paths are relative to its root.
enum Repository {
    static func text(of path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// All files below a folder whose names end in one of `suffixes`, sorted.
    static func files(below folder: String, endingIn suffixes: String...) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { name in suffixes.contains { name.hasSuffix($0) } }.map { "\(folder)/\($0)" }.sorted()
    }

    /// The documentation that people read, sorted.
    static var pages: [String] {
        get throws {
            let root = try FileManager.default.contentsOfDirectory(atPath: ".").filter { $0.hasSuffix(".md") }
            return root.sorted() + files(below: "docs", endingIn: ".md") + files(below: "scripts", endingIn: ".md")
        }
    }

    /// The modules that a folder's Swift files import.
    static func imports(below folder: String) throws -> Set<String> {
        var modules: Set<String> = []
        for file in files(below: folder, endingIn: ".swift") {
            for line in try text(of: file).split(separator: "\n") where line.hasPrefix("import ") {
                if let module = line.split(separator: " ").last { modules.insert(String(module)) }
            }
        }
        return modules
    }

    /// The cells of each row of a Markdown table that starts with the line `heading`, without heading and ruler.
    static func table(headed heading: String, in page: String) throws -> [[String]] {
        let lines = try text(of: page).components(separatedBy: "\n")
        guard let start = lines.firstIndex(where: { $0.hasPrefix(heading) }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// The texts between backticks within a line, of all lines outside code blocks.
    static func code(in text: String) -> [String] {
        var isBlock = false
        return text.components(separatedBy: "\n").flatMap { line -> [String] in
            if line.hasPrefix("```") { isBlock.toggle() }
            if isBlock || line.hasPrefix("```") { return [] }
            return line.components(separatedBy: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
        }
    }
}
