import ArgumentParser
import Ledger
import Operations

extension LedgerCommand {
    struct Restore: AsyncParsableCommand, FileCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a backup in the ledger's place, and has the stream decided again from its beginning.",
            discussion: """
                The backup is checked first; what it replaces, damaged or not, is kept beside it. Says what the backup lacks, and \
                whether the stream still holds that, or that it cannot know. Stop whatever has the ledger open first: run, consume \
                and serve. Exit codes: 0; 1 not restored: not confirmed, the backup is not a \
                sound ledger of this store or of another ledger than the one it replaces, what is in that place belongs to \
                another store, a newer version or another program, or another process has the ledger open; 2 Redis cannot \
                be reached. In all but the first nothing was changed.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The backup.", valueName: "FILE"))
        var file: String

        var files: [String] { [file] }

        @Flag(help: "Do not ask.")
        var yes = false

        @Flag(help: "The backup may be of another ledger than the one it replaces, or that Redis follows.")
        var otherLedger = false

        func run() async throws {
            let settings = try options.resolve()
            let progress = Progress()
            do {
                let isRestored = try await BackupRestorer(
                    await settings.accessOfOperator(), settings.backups(for: "restoring"), backup: file
                ).run(
                    allowsOtherLedger: otherLedger,
                    progress: { $0.map { progress.show($0.text) } ?? progress.end() },
                    report: { findings in
                        for line in RestoreReport(findings).lines { print(line) }
                    },
                    confirm: { yes || confirm("Put \(file) in the place of \(settings.ledger)?") },
                    done: { restored in
                        print(
                            "restored \(settings.ledger) from \(file)"
                                + (restored.kept.map { "; what it replaces is \($0)" } ?? ""))
                        for line in RestoreReport(restored.findings).advice { print(line) }
                    })
                guard isRestored else {
                    printError("not restored")
                    throw Exit.no
                }
            } catch let error as OperationError {
                if case .otherLedger = error { try refuse(error) }
                throw error
            } catch let error as any LedgerError {
                switch error.kind {
                // Nothing need be in the ledger's place.
                case .missing:
                    throw Failure(
                        "restoring the ledger failed: on \(file): there is no such file. Name one that 'stocktake ledger backup' has made."
                    )
                case .inUse, .refused: try refuse(error)
                default: throw error
                }
            }
        }
    }
}
