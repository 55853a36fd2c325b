import ArgumentParser
import Ledger
import StrictJSON
import TextEncodings

extension LedgerCommand {
    struct Backup: AsyncParsableCommand, FileCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies the ledger to a new file, even while a consumer writes to it, and checks the copy.",
            discussion: """
                The copy is one file that only its owner can read, as it contains addresses. It gets its name only when \
                it is complete, sound and on disk; an interrupted run leaves at most FILE.partial. Exit codes: 0 success; \
                1 not backed up: FILE exists, the ledger is not sound, or the log beside it belongs to a different \
                state.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The file to create.", valueName: "FILE"))
        var file: String

        var files: [String] { [file] }

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let settings = try options.resolve()
            let progress = Progress()
            let copy: LedgerCopy
            do {
                copy = try await settings.backups(for: "backing up").backUp(store: settings.store, to: file) {
                    progress.show($0.text)
                }
            } catch let error as any LedgerError {
                progress.end()
                switch error.kind {
                case .refused, .inUse: try refuse(error)
                default: throw error
                }
            }
            progress.end()
            if json { return printJSON(copy.json(file)) }
            print(
                "backed up \(settings.ledger) to \(file): \(copy.bytes.asBytes), sound; \(copy.check.orders.counted("order")), epoch \(copy.check.head.epoch), seq \(copy.check.head.seq)"
            )
        }
    }
}

extension Settings {
    /// The backups of the ledger.
    /// - Parameter action: the operation that needs them, for an error: "restoring".
    func backups(for action: String) throws -> any LedgerBackups {
        guard let backups = ledger.backups else {
            throw Failure("\(action) the ledger failed: on \(ledger): it has no files. Use its server's own tools.")
        }
        return backups
    }
}

extension LedgerCopy {
    fileprivate func json(_ path: String) -> JSONValue {
        JSONValue.members(["path": .string(path), "bytes": .integer(bytes)])
            .with(check.commands.members)
            .with([
                ("dead_letters", .integer(check.deadLetters)), ("epoch", .integer(check.head.epoch)),
                ("seq", .integer(check.head.seq)),
            ])
    }
}

extension CopyProgress {
    var text: String {
        switch self {
        case .copying(let done, let all): "copied \(done.asBytes) of \(all.asBytes)"
        case .checking: "checking the copy"
        }
    }
}
