import Testing

/// ARCHITECTURE.md says only what is so.
@Suite struct ArchitectureTests {
    private let page = "ARCHITECTURE.md"

    @Test("lists every module with exactly the modules that it imports")
    func modules() throws {
        let rows = try Repository.table(headed: "| module |", in: page)
        let names = rows.map { Repository.code(in: $0[0]) }
        let listed = Set(names.flatMap(\.self))
        var folders = Set(
            Repository.files(below: "Sources", endingIn: ".swift", ".modulemap").map { path in
                String(path.split(separator: "/")[1])
            })
        folders.insert("LuaScripts")
        #expect(listed == folders)
        // The command composes most modules; its row lists the rules, not the imports.
        for (row, modules) in zip(rows, names) where modules != ["stocktake"] {
            let folders = modules.map { $0 == "LuaScripts" ? "lua" : "Sources/\($0)" }
            let imported = try folders.map { try Repository.imports(below: $0) }.reduce(into: Set<String>()) {
                $0.formUnion($1)
            }
            #expect(Set(Repository.code(in: row[2])) == imported.intersection(listed), "\(modules)")
        }
    }

    @Test("lists modules so that each imports only modules above it")
    func order() throws {
        var above: Set<String> = []
        for row in try Repository.table(headed: "| module |", in: page) {
            let imported = Set(Repository.code(in: row[2]))
            if row[0] != "`stocktake`" { #expect(imported.isSubset(of: above), "\(row[0])") }
            above.formUnion(Repository.code(in: row[0]))
        }
    }

    @Test("names tests that exist for every invariant")
    func invariants() throws {
        let rows = try Repository.table(headed: "| | always |", in: page)
        try #require(rows.count >= 25)
        var functions: [String: String] = [:]
        for file in Repository.files(below: "Tests", endingIn: ".swift") {
            let name = file.split(separator: "/").last?.dropLast(".swift".count) ?? ""
            // Tests of a suite may be in several files: `Suite.swift`, `Suite+topic.swift`.
            functions[String(name.prefix { $0 != "+" }), default: ""] += try Repository.text(of: file)
        }
        for row in rows {
            let tests = Repository.code(in: row[2]).filter { $0.contains("Tests.") }
            #expect(!tests.isEmpty, "invariant \(row[0])")
            for test in tests {
                let parts = test.split(separator: ".")
                let suite = functions[String(parts[0])] ?? ""
                #expect(suite.contains("func \(parts[1])("), "invariant \(row[0]): \(test)")
            }
        }
    }
}
