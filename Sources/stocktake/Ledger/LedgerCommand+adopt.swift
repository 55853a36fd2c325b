import ArgumentParser
import Ledger
import Operations

extension LedgerCommand {
    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the counters in Redis follow this ledger after it was restored or replaced.",
            discussion: """
                Resets the consumer group to the beginning of the stream, so that everything the stream still holds is \
                decided again before anything new is sold. Orders that neither the ledger nor the stream holds are \
                unknown from then on. Exit codes: 0 success; 1 not adopted: not confirmed, or a consumer is active.
                """)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Do not ask for confirmation.")
        var yes = false

        func run() async throws {
            let settings = try options.resolve()
            let isAdopted: Bool
            do {
                isAdopted = try await Adoption(await settings.accessOfOperator()).run { head, seq in
                    print(
                        "Redis: epoch \(Self.text(head.epoch)), settled seq \(Self.text(head.settled)); this ledger: highest seq \(seq)"
                    )
                    return yes || confirm("Let the counters of store \(settings.store) follow \(settings.ledger)?")
                }
            } catch let error as any LedgerError {
                if error.kind == .inUse { try refuse(error) }
                throw error
            }
            guard isAdopted else {
                printError("not adopted")
                throw Exit.no
            }
            print("adopted \(settings.ledger); start a consumer, which first decides again what the stream holds")
        }

        private static func text(_ number: Int64?) -> String { number.map(String.init) ?? "none" }
    }
}
