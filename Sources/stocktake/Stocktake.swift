import ArgumentParser
import AvailabilityAPI
import Consumer
import Counters
import Glibc
import Ledger
import Operations
import Files
import Reconciliation
import RedisClient

/// The command: parses the arguments, runs one subcommand, and turns its error into a message and an exit code.
@main
struct Stocktake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stocktake",
        abstract: "Keeps count of a shop's limited editions while they sell.",
        discussion: """
            Each setting comes from its flag, else its environment variable (STOCKTAKE_LEDGER for --ledger), else its \
            key in the file named by --config (ledger), else its default.

            Exit codes: 0 success; 1 a negative result (see each subcommand); 2 no result, or something that the command \
            needs could not be reached; 64 wrong usage.
            """,
        version: Version.text,
        subcommands: [
            RunCommand.self, ConsumeCommand.self, ServeCommand.self, SyncCommand.self, CatalogueCommand.self,
            PublishCommand.self,
            StockCommand.self, OrdersCommand.self, OutcomesCommand.self, RefundsCommand.self, DeadLettersCommand.self,
            ReconcileCommand.self, RepairsCommand.self, AuditCommand.self, AdjustmentsCommand.self, LedgerCommand.self,
            DoctorCommand.self,
        ])

    static func main() async {
        StandardOutput.prepare()
        do {
            var command = try parse()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            StandardOutput.leave(0)
        } catch let exit as Exit {
            StandardOutput.leave(exit.code)
        } catch let error as ValidationError {
            // Invalid settings: the message suffices, and the full usage would hide it.
            printError("\(error)")
            Glibc.exit(64)
        } catch {
            switch error {
            case is RedisError, is any LedgerError, is FileLockError, is CountersError, is ConsumerError,
                is ReconciliationError,
                is OperationError, is Failure, is ListenError:
                printError(explained(error))
                Glibc.exit(Exit.couldNotTell.code)
            default:
                guard exitCode(for: error).isSuccess else { Self.exit(withError: error) }
                // Requested output: --help, --version, a completion script.
                StandardOutput.write(fullMessage(for: error) + "\n")
                StandardOutput.leave(0)
            }
        }
    }

    private static func parse() throws -> any ParsableCommand {
        let arguments = Array(Self.arguments.dropFirst())
        try refuseUnknownSubcommand(arguments)
        let command = try parseAsRoot(arguments)
        let files = (command as? any FileCommand)?.files ?? []
        let flags = SettingName.all.filter(\.isPath).map(\.flag) + ["--config"]
        for (place, argument) in arguments.enumerated() where !FilePath.isUTF8(argument) && !files.contains(argument) {
            let isPath =
                flags.contains { argument.hasPrefix($0 + "=") } || place > 0 && flags.contains(arguments[place - 1])
            guard isPath else {
                throw ValidationError("The argument \(argument) is not UTF-8. Only a path may have such bytes.")
            }
        }
        return command
    }

    /// The arguments. Unlike `CommandLine.arguments`, they keep bytes that are not UTF-8.
    static var arguments: [String] {
        (0..<Int(CommandLine.argc)).compactMap { place in CommandLine.unsafeArgv[place].map { FilePath.text($0) } }
    }

    /// Rejects an unknown subcommand with a suggestion. A group with a default subcommand is not checked: what follows
    /// may be an argument of the default.
    private static func refuseUnknownSubcommand(_ arguments: [String]) throws {
        var (group, path): (any ParsableCommand.Type, String) = (Stocktake.self, "stocktake")
        for argument in arguments where group.configuration.defaultSubcommand == nil {
            let subcommands = group.configuration.subcommands
            // ArgumentParser handles "help" and options.
            if subcommands.isEmpty || argument.hasPrefix("-") || argument == "help" { return }
            guard let subcommand = subcommands.first(where: { $0._commandName == argument }) else {
                let names = subcommands.map { $0._commandName }
                throw ValidationError(
                    "\(path) has no subcommand \"\(argument)\"; \(Words.guidance(for: argument, among: names))")
            }
            (group, path) = (subcommand, path + " " + argument)
        }
    }
}

/// An error's text, with a hint for the most frequent mistake of new users.
func explained(_ error: any Error) -> String {
    guard case RedisError.cannotConnect(let to, _) = error, to.hasSuffix("/redis.sock") else { return "\(error)" }
    return "\(error) Without --redis-url this is the private Redis of 'stocktake run': start that."
}

/// A subcommand with files among its arguments, whose names may have any bytes.
protocol FileCommand {
    /// The file names as given in the arguments.
    var files: [String] { get }
}

/// Ends the command with an exit code, after all messages have been printed.
struct Exit: Error {
    var code: Int32

    /// A negative result: an invalid file, an unknown id, drift.
    static let no = Exit(code: 1)
    /// No result, or something that the command needs could not be reached.
    static let couldNotTell = Exit(code: 2)
}

/// A failure with its complete message: what failed, on what, why, what to do.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
