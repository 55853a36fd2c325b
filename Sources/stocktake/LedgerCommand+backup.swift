import ArgumentParser
import Ledger
import StrictJSON

extension LedgerCommand {
    struct Backup: AsyncParsableCommand, FileCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies the ledger into a new file, also while a consumer writes it, and checks the copy.",
            discussion: """
                The copy is one file, for its owner alone, as it holds addresses. It has its name only when it is \
                whole, sound and on disk; a run that was cut short leaves FILE.partial at most. Exit codes: 0; 1 not \
                backed up: FILE exists, the ledger is not sound, or the log beside it is of another state.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The file to make.", valueName: "FILE"))
        var file: String

        var files: [String] { [file] }

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let ledger: LedgerDatabase
            do {
                ledger = try await openForReading(options)
            } catch let error as LedgerError {
                if case .mixed = error { try refuse(error) }
                throw error
            }
            defer { try? ledger.close() }
            let progress = Progress()
            let copy: LedgerCopy
            do {
                copy = try await ledger.backUp(to: file) { progress.show($0.text) }
            } catch let error as LedgerError {
                progress.end()
                switch error {
                case .copyExists, .copyUnderWay, .unsound: try refuse(error)
                default: throw error
                }
            }
            progress.end()
            if json { return printJSON(copy.json(file)) }
            print(
                "backed up \(ledger.path) to \(file): \(copy.bytes.asBytes), sound; \(copy.check.orders.counted("order")), epoch \(copy.check.head.epoch), seq \(copy.check.head.seq)"
            )
        }
    }
}

extension LedgerCopy {
    fileprivate func json(_ path: String) -> JSONValue {
        .members([
            "path": .string(path), "bytes": .integer(bytes), "orders": .integer(check.orders),
            "cancellations": .integer(check.cancellations), "adjustments": .integer(check.adjustments),
            "dead_letters": .integer(check.deadLetters), "epoch": .integer(check.head.epoch),
            "seq": .integer(check.head.seq),
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

extension Int64 {
    /// "812 bytes", "4.0 KiB", "1.3 GiB".
    var asBytes: String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard self >= 1_024 else { return "\(self) bytes" }
        var (tenths, unit) = (self * 10 / 1_024, 0)
        while tenths >= 10_240, unit < units.count - 1 {
            tenths /= 1_024
            unit += 1
        }
        return "\((tenths / 10).grouped).\(tenths % 10) \(units[unit])"
    }
}
