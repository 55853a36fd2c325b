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

/// The command: parses, runs one subcommand, and turns what it throws into a message and an exit code.
@main
struct Stocktake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stocktake",
        abstract: "Keeps the count of a shop's limited editions while they sell.",
        discussion: """
            Every setting is a flag, an environment variable (STOCKTAKE_LEDGER for --ledger), a key of the file \
            named by --config (ledger), or its default, in this order.

            Exit codes: 0 all is well; 1 the answer is no (see each subcommand); 2 could not tell, or could not reach \
            what it needs; 64 wrong usage.
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
            // Wrong settings: the message says it all, the whole usage would hide it.
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
                // What was asked for: --help, --version, a completion script.
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

    /// Not CommandLine.arguments, in which a byte that is no UTF-8 has become another character.
    static var arguments: [String] {
        (0..<Int(CommandLine.argc)).compactMap { place in CommandLine.unsafeArgv[place].map { FilePath.text($0) } }
    }

    /// Says which subcommand was probably meant. Where a group has a default one, what follows may be its argument.
    private static func refuseUnknownSubcommand(_ arguments: [String]) throws {
        var (group, path): (any ParsableCommand.Type, String) = (Stocktake.self, "stocktake")
        for argument in arguments where group.configuration.defaultSubcommand == nil {
            let subcommands = group.configuration.subcommands
            // ArgumentParser has "help" and answers options.
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

/// An error's text, with what a newcomer forgets most often.
func explained(_ error: any Error) -> String {
    guard case RedisError.cannotConnect(let to, _) = error, to.hasSuffix("/redis.sock") else { return "\(error)" }
    return "\(error) Without --redis-url this is the private Redis of 'stocktake run': start that."
}

/// A subcommand with files among its arguments, by whatever bytes they are called.
protocol FileCommand {
    /// As the arguments have them.
    var files: [String] { get }
}

/// Leaves with an exit code; whatever there is to say has been said.
struct Exit: Error {
    var code: Int32

    /// The answer is no: an invalid file, an unknown id, drift.
    static let no = Exit(code: 1)
    /// There is no answer, or what is needed could not be reached.
    static let couldNotTell = Exit(code: 2)
}

/// Something that failed, with its whole message: what failed, on what, why, what to do.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
