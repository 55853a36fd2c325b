import Foundation
import TestSupport

/// One search of `protocol.pml` by Spin: all states that a configuration can reach.
struct ModelSearch {
    /// The result of a search. Everything else (no Spin, a search that depth or memory ended early) is thrown.
    enum Finding: Equatable, CustomStringConvertible {
        /// Every state was visited, and none violates anything.
        case holds(states: Int)
        /// A history leads to a state in which this assertion does not hold.
        case violated(String)

        var description: String {
            switch self {
            case .holds(let states): "holds in \(states) states"
            case .violated(let assertion): "violated: \(assertion)"
            }
        }
    }

    /// The macros that choose the configuration and switch guards off: `CRASHES=1`, `NO_CHAIN`.
    var macros: [String]

    /// Far above what a configuration needs: a search that reaches one of these limits reports it, and does not count.
    private static let maximumDepth = 100_000
    private static let maximumMegabytes = 2_048
    /// 2^22 slots, 32 MB: enough for some million states.
    private static let hashBits = 22

    /// Generates a C program from the model, compiles it and runs it.
    /// - Parameter optimised: For a search that visits all states; a counterexample is found before optimising pays
    ///   off.
    func run(optimised: Bool) async throws -> Finding {
        try await withTemporaryFolder { folder in
            let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("protocol.pml")
            try folder.write(try String(contentsOf: model, encoding: .utf8), to: "protocol.pml")
            let translated = try await Self.output(
                of: "spin", ["-a"] + macros.map { "-D\($0)" } + ["protocol.pml"], in: folder, within: .seconds(30))
            guard FileManager.default.fileExists(atPath: folder.path(of: "pan.c")) else {
                throw TestSupportError("spin made no program of the model:\n\(translated)")
            }
            // Checks safety only; without partial-order reduction, which finds little to leave out here and costs time.
            let options = [optimised ? "-O1" : "-O0", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=\(Self.maximumMegabytes)"]
            let compiled = try await Self.output(
                of: "cc", options + ["-o", "pan", "pan.c"], in: folder, within: .seconds(120))
            guard FileManager.default.isExecutableFile(atPath: folder.path(of: "pan")) else {
                throw TestSupportError("the model's program does not compile:\n\(compiled)")
            }
            let report = try await Self.output(
                of: folder.path(of: "pan"), ["-m\(Self.maximumDepth)", "-w\(Self.hashBits)"], in: folder,
                within: .seconds(300))
            return try Self.finding(in: report)
        }
    }

    /// Parses pan's report. A violation ends the search, so "not completed" is checked only after it.
    static func finding(in report: String) throws -> Finding {
        let lines = report.split(separator: "\n")
        if report.contains("max search depth too small") {
            throw TestSupportError("the search was cut short by its depth:\n\(report)")
        }
        if let line = lines.first(where: { $0.contains(": assertion violated") }) {
            return .violated(String(line))
        }
        guard report.contains("Full statespace search for:"), report.contains("errors: 0"),
            !report.contains("Search not completed"), !report.contains("memory bound"),
            let line = lines.first(where: { $0.hasSuffix("states, stored") }),
            let states = line.split(separator: " ").first.flatMap({ Int($0) })
        else { throw TestSupportError("the search did not end as it should:\n\(report)") }
        return .holds(states: states)
    }

    private static func output(
        of program: String, _ arguments: [String], in folder: TemporaryFolder, within limit: Duration
    ) async throws -> String {
        let child = try ChildProcess(program, arguments, workingFolder: folder.path)
        // The shell's exit status for a missing program.
        if try await child.waitForEnding(within: limit) == .exited(127) {
            throw TestSupportError(
                "cannot run \(program): it is not installed. Install what the tests need: scripts/setup.")
        }
        return child.standardOutput + child.standardError
    }
}
