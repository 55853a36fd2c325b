import ArgumentParser
import Domain
import Ledger
import Operations
import TextEncodings

extension OrdersCommand {
    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes the customer's data of orders permanently; the units sold stay counted.",
            discussion: """
                Removes customer, shipping address and payment from the orders, and the content of dead letters with \
                their ids. While a refund is due, the list of refunds keeps id, payment intent, amount and currency. A \
                digest of each payment intent is kept, so that the same payment is not mistaken for a second one. Exit \
                codes: 0 success; 1 not confirmed, an id is unknown, or a dead letter is still to be published again; \
                then nothing was changed.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The orders' ids.", valueName: "ID"))
        var ids: [String]

        @Flag(help: "Do not ask for confirmation.")
        var yes = false

        func run() async throws {
            let settings = try options.resolve()
            let ledger = try await settings.ledger.openAdmin(settings.store)
            defer { try? ledger.close() }
            let orders = ids.map { Identifier($0) }.uniqued
            guard yes || confirm("Remove the customer's data of \(orders.count.counted("order")) for good?") else {
                printError("not erased")
                throw Exit.no
            }
            switch try await ledger.erase(orders, by: await OperatingSystemUser.name()) {
            case .erased(let orders, let letters, let refunds):
                conclude(orders, letters, settings, try await waitForErasure(ledger, settings))
                if refunds > 0 {
                    print(
                        "Kept: id, payment intent, amount and currency of \(refunds.counted("refund")) that \(refunds == 1 ? "is" : "are") due ('stocktake refunds list')."
                    )
                }
            case .unknown(let ids):
                let listed = ids.map { "\"\($0)\"" }.joined(separator: ", ")
                printError(
                    "nothing was erased: no order and no dead letter in the ledger has the id \(listed). 'stocktake orders list' shows the orders."
                )
                throw Exit.no
            case .awaitsReplay(let numbers):
                printError(
                    "nothing was erased: \(numbers.listed("dead letter")) is still to be published again. Start a consumer, and erase when 'stocktake dead-letters list' shows the status replayed."
                )
                throw Exit.no
            }
        }

        /// Prints what was erased, and what this command cannot reach.
        private func conclude(_ orders: Int, _ letters: Int, _ settings: Settings, _ removal: String) {
            print(
                "erased the customer's data of \(orders.counted("order")) and the content of \(letters.counted("dead letter")): \(removal)"
            )
            let kept = Int64(settings.consumer.messageAge / .seconds(1)).grouped
            print(
                """
                Not reached: the message in Redis and its append-only file, for \(kept) s (keep_messages_s) and until the \
                file is rewritten; backups, and what 'ledger restore' has replaced; dead letters whose order id could not \
                be read.
                """)
        }
    }
}
