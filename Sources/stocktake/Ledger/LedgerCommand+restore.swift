import ArgumentParser
import Ledger
import Operations

extension LedgerCommand {
    struct Restore: AsyncParsableCommand, FileCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replaces the ledger with a backup; the stream is then decided again from its beginning.",
            discussion: """
                The backup is checked first; the ledger that it replaces, damaged or not, is kept beside it. Reports \
                what the backup lacks, and whether the stream still holds that or this cannot be known. First stop every \
                process that has the ledger open: run, consume and serve. Exit codes: 0 success; 1 not restored: not \
                confirmed; the backup is not a sound ledger of this store, or belongs to a different ledger from the one \
                it would replace; the file in the ledger's place belongs to another store, a newer version or another \
                program; or another process has the ledger open; 2 Redis cannot be reached. With any code but 0, nothing \
                was changed.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The backup to restore.", valueName: "FILE"))
        var file: String

        var files: [String] { [file] }

        @Flag(help: "Do not ask for confirmation.")
        var yes = false

        @Flag(help: "Allow a backup of a ledger other than the one it replaces or the one Redis follows.")
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
                    confirm: { yes || confirm("Replace \(settings.ledger) with \(file)?") },
                    done: { restored in
                        print(
                            "restored \(settings.ledger) from \(file)"
                                + (restored.kept.map { "; the replaced ledger is kept as \($0)" } ?? ""))
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
                // This is the backup: a missing ledger is not an error.
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
