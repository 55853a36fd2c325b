import Prometheus
import Foundation
import Testing

/// The list of metrics, the code that records them, and docs/metrics.md agree.
@Suite struct MetricDescriptionTests {
    private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardized

    @Test("Every metric of the code is described, and no other")
    func code() throws {
        let sources = Self.project.appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            if file.path.contains("/Prometheus/") { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/"(stocktake_[a-z_]+)"/#) { names.insert(String(match.1)) }
        }
        let described = Set(MetricDescription.all.map(\.name))
        #expect(names.subtracting(described).isEmpty, "without a description")
        // Those that the HTTP server records are added.
        let http: Set<String> = ["stocktake_reads_total", "stocktake_subscribers"]
        #expect(described.subtracting(names).subtracting(http).isEmpty, "recorded nowhere")
        #expect(MetricDescription.all.count == described.count)
    }

    @Test("docs/metrics.md has a row for each: name, type, labels, meaning")
    func docs() throws {
        let text = try String(contentsOf: Self.project.appending(path: "docs/metrics.md"), encoding: .utf8)
        var rows: [String: [String]] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| `stocktake_") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            rows[cells[0].trimmingCharacters(in: ["`"])] = cells
        }
        #expect(Set(rows.keys) == Set(MetricDescription.all.map(\.name)))
        for metric in MetricDescription.all {
            let cells = try #require(rows[metric.name])
            #expect(cells.count == 5 && cells[1] == metric.kind.typeName, "\(metric.name)")
            #expect(cells[2] == metric.labels.map { "`\($0)`" }.joined(separator: ", "), "\(metric.name)")
        }
    }
}
