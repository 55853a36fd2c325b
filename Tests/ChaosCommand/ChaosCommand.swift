import ArgumentParser
import Chaos
import Foundation

@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Breaks a private shop in every available way, and checks the result.",
        discussion: """
            A real Redis, a real ledger, three consumers, their publishers, readers and an operator, all in a temporary \
            folder. The result must be that of processing the messages strictly one by one. Exit codes: 0 no violation; \
            1 a violation; 2 it could not run. A seed reproduces the same messages and faults, but not their exact times.
            """)

    @Option(
        help: """
            How long faults occur, in seconds; from 300 on there is time for every kind of fault. The time in which \
            the shop recovers is added.
            """
    )
    var seconds = 60

    @Option(help: "The seed of everything random; chosen at random if omitted.")
    var seed: UInt64?

    @Option(help: "Leave out a kind of fault, by its name in the report; may be repeated.")
    var without: [String] = []

    @Flag(help: "Include connections whose closing Redis does not notice: they may change the order.")
    var halfOpen = false

    @Flag(help: "Print the history during the run.")
    var verbose = false

    @Flag(help: "Keep ledger, logs and history even if the run passes.")
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
