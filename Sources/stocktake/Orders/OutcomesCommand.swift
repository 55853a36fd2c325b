import ArgumentParser
import Domain
import Ledger
import Monitoring
import StrictJSON
import TextEncodings

struct OutcomesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outcomes", abstract: "Outcomes of messages, however old.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists outcomes from the ledger, in the order in which they were recorded.",
            discussion: """
                Includes outcomes that the stream of outcomes no longer holds. A program that follows the outcomes keeps the \
                "next" of --json and passes it as --after the next time. It misses none, even after a backup has replaced \
                the ledger; outcomes that the backup lacked may appear again, in a later epoch. Exit codes: 0 success; \
                2 the ledger cannot be read.
                """)

        @OptionGroup var options: SettingsOptions

        @Option(help: "The maximum number of outcomes.")
        var limit = 1_000

        @Option(help: ArgumentHelp("Only outcomes after this one. Default: all.", valueName: "EPOCH:POSITION"))
        var after: String?

        @Flag(help: "Print JSON.")
        var json = false

        private static let beginning = EpochPosition(epoch: 0, position: 0)

        func validate() throws {
            if !(1...100_000).contains(limit) { throw ValidationError("--limit must be from 1 to 100000.") }
            if let after, EpochPosition(after) == nil {
                throw ValidationError("--after must be EPOCH:POSITION, as in \"next\": two numbers, 0 or above.")
            }
        }

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let start = after.flatMap { EpochPosition($0) } ?? Self.beginning
            let outcomes = try await ledger.outcomes(after: start, limit: limit)
            let next = outcomes.last?.place ?? start
            if json {
                printJSON(.members(["outcomes": .array(outcomes.map(\.json)), "next": .string(next.text)]))
                return
            }
            var table = Table([
                ("PLACE", .left), ("OUTCOME", .left), ("ORDER", .left), ("OTHER ID", .left),
                ("REASON", .left), ("SEQ", .right), ("UNITS", .right), ("DECIDED", .left),
            ])
            for recorded in outcomes {
                let outcome = recorded.outcome
                table.add([
                    recorded.place.text, outcome.kind.rawValue, outcome.ids.text(.placeOrder),
                    outcome.ids.others.map(\.id.text).joined(separator: " "),
                    outcome.reason, outcome.seq?.grouped ?? "", outcome.units?.grouped ?? "", outcome.decidedAt,
                ])
            }
            table.print()
            if outcomes.count == limit { print("more: --after \(next.text)") }
        }
    }
}
