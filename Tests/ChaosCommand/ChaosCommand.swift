import ArgumentParser
import Chaos
import Foundation

@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Breaks a shop of its own by every means there are, and checks what comes of it.",
        discussion: """
            A real Redis, a real ledger, three consumers, their publishers, readers and an operator, all in a temporary \
            folder. The result must be that of taking the messages strictly one by one. Exit codes: 0 no violation; \
            1 a violation; 2 it could not run. A seed brings back the same messages and faults, though not to the millisecond.
            """)

    @Option(
        help: """
            How long faults go on, in seconds; from 300 there is room for every kind of them. Waiting for the shop to \
            come back comes on top.
            """
    )
    var seconds = 60

    @Option(help: "Where everything random comes from; drawn if it is not given.")
    var seed: UInt64?

    @Option(help: "Leave a kind of fault out, by its name in the report; may be repeated.")
    var without: [String] = []

    @Flag(help: "Also connections that Redis does not learn are gone: order may be lost then.")
    var halfOpen = false

    @Flag(help: "Say what is done while it is done.")
    var verbose = false

    @Flag(help: "Keep ledger, logs and history also when all is well.")
    var keep = false

    func validate() throws {
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1 to 86400.") }
    }

    func run() async throws {
        var settings = ChaosSettings(seed: seed ?? UInt64.random(in: 0..<1 << 32))
        settings.duration = .seconds(seconds)
        settings.without = Set(without)
        settings.includesHalfOpen = halfOpen
        settings.isVerbose = verbose
        settings.keepsFolder = keep
        FileHandle.standardError.write(Data("chaos: \(seconds) s, seed \(settings.seed)\n".utf8))
        let report: ChaosReport
        do {
            report = try await ChaosRun.run(settings)
        } catch {
            FileHandle.standardError.write(Data("chaos: it could not run: seed \(settings.seed): \(error)\n".utf8))
            throw ExitCode(2)
        }
        print(report.text)
        if !report.violations.isEmpty { throw ExitCode(1) }
    }
}
