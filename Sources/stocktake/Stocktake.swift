import ArgumentParser
import AvailabilityAPI
import Consumer
import Counters
import Glibc
import Ledger
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
            RunCommand.self, ConsumeCommand.self, ServeCommand.self, SyncCommand.self, PublishCommand.self,
            StockCommand.self,
            OrdersCommand.self, RefundsCommand.self, DeadLettersCommand.self, ReconcileCommand.self,
            RepairsCommand.self, AdjustmentsCommand.self, LedgerCommand.self, DoctorCommand.self,
        ])

    static func main() async {
        StandardOutput.prepare()
        do {
            var command = try await parse()
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
            case is RedisError, is LedgerError, is CountersError, is ConsumerError, is ReconciliationError, is Failure,
                is ListenError:
                printError(explained(error))
                Glibc.exit(Exit.couldNotTell.code)
            default:
                Self.exit(withError: error)
            }
        }
    }

    private static func parse() async throws -> any ParsableCommand {
        try parseAsRoot()
    }
}

/// An error's text, with what a newcomer forgets most often.
func explained(_ error: any Error) -> String {
    guard case RedisError.cannotConnect(let to, _) = error, to.hasSuffix("/redis.sock") else { return "\(error)" }
    return "\(error) Without --redis-url this is the private Redis of 'stocktake run': start that."
}

/// Leaves with an exit code; whatever there is to say has been said.
struct Exit: Error {
    var code: Int32

    /// The answer is no: an invalid file, an unknown id, drift.
    static let no = Exit(code: 1)
    /// Could not tell, or could not reach what is needed.
    static let couldNotTell = Exit(code: 2)
}

/// Something that failed, with its whole message: what failed, on what, why, what to do.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
