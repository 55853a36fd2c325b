import ArgumentParser
import Foundation
import Glibc

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures Stocktake's throughput and latency beside other programs', on this machine.",
        discussion: """
            Everything is real: the release binary, a private Redis and ledgers in a temporary folder (TMPDIR), \
            PostgreSQL and webdis as peers. Rounds of ours and theirs take turns. docs/performance.md explains each \
            row. Exit codes: 0 measured, whatever the results; 2 something could not be measured.

            Groups of rows, for --only:
            \(RowGroup.allCases.map { "  \($0.rawValue): \($0.about)" }.joined(separator: "\n"))
            """)

    @Flag(help: "Fewer rounds and smaller sizes: at most 90 seconds instead of ten minutes.")
    var quick = false

    @Option(help: "Rounds of each measurement; with --quick at most 2.")
    var rounds = 5

    @Option(help: "Only these groups of rows, separated by commas.")
    var only: String?

    @Option(help: "The file to which all values are written as JSON.")
    var json = "bench.json"

    func validate() throws {
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is 1 to 100.") }
        _ = try groups()
    }

    /// In the order of the table.
    private func groups() throws -> [RowGroup] {
        guard let only else { return RowGroup.allCases }
        let names = only.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        for name in names where RowGroup(rawValue: name) == nil {
            let known = RowGroup.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--only: \"\(name)\" is not a group of rows. The groups are \(known).")
        }
        return RowGroup.allCases.filter { names.contains($0.rawValue) }
    }

    func run() async throws {
        do {
            let report = try await measure(try groups())
            print(Table.text(report))
            try report.write(to: json)
            print("\nAll values: \(json)")
            if !report.failed.isEmpty { throw ExitCode(2) }
        } catch let error as BenchError {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }

    private func measure(_ groups: [RowGroup]) async throws -> Report {
        try raiseDescriptorLimit()
        let scale: Scale = quick ? .quick(rounds: rounds) : .full(rounds: rounds)
        let workshop = try await Workshop.open(scale, groups: groups)
        var rows: [Row] = []
        var leftOut: [String] = []
        var failed: [String] = []
        var flush = Samples()
        for group in groups {
            flush.add(try await workshop.flushMilliseconds())
            do {
                rows += try await group.measure(in: workshop)
            } catch let missing as MissingInput {
                leftOut.append("\(group.rawValue): \(missing)")
                workshop.progress.say("\(group.rawValue) is left out: \(missing)")
            } catch {
                // The other groups are measured nevertheless: a late failure must not discard earlier results.
                failed.append("\(group.rawValue): \(error)")
                workshop.progress.say("\(group.rawValue) failed: \(error)")
            }
        }
        await workshop.close()
        let machine = try await Machine.describe(workshop)
        return Report(
            machine: machine, scale: scale, seconds: workshop.progress.elapsedSeconds, flush: flush, rows: rows,
            leftOut: leftOut, failed: failed)
    }

    /// A thousand subscribers need two thousand descriptors, half of them in this process.
    private func raiseDescriptorLimit() throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 4_096))
        guard setrlimit(resource, &limit) == 0, limit.rlim_cur >= 2_048 else {
            throw BenchError(
                "raising the limit of open files failed: on this process: it is \(limit.rlim_cur). Allow 4096 (ulimit -n)."
            )
        }
    }
}

/// An input that only one group of rows needs is missing: the other groups continue.
struct MissingInput: Error, CustomStringConvertible {
    let description: String
}
