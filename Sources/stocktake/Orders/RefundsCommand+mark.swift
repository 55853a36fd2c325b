import ArgumentParser
import Ingest
import Domain
import Ledger
import Operations
import StrictJSON
import TextEncodings

extension RefundsCommand {
    struct Mark: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Marks refunds as paid back.",
            discussion: """
                Sends an order.refunded message for each order, like any publisher, and waits until it is recorded. Without \
                --amount, everything due for the order is marked. The command itself moves neither money nor units. An \
                order for which nothing is due is left alone. After a failure, repeat the command: recorded refunds are not \
                sent again, and a --id counts only once. Exit codes: 0 recorded, paid back before, or sent but not recorded \
                yet; 1 nothing is due for an order, or its refund became a dead letter; 2 Redis or the ledger could not be \
                reached, or it is unknown whether the message was sent.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The orders' ids, as 'refunds list' shows them.", valueName: "ORDER"))
        var orders: [String]

        @Option(help: "With one order: the payment that was refunded.")
        var paymentIntent: String?

        @Option(help: "With one order: the amount paid back, in minor units.")
        var amount: Int64?

        @Option(help: "With one order: the currency. Nothing is marked if the order was paid in a different one.")
        var currency: String?

        @Option(help: "With one order: your own id; sending the same id again changes nothing. Default: a random id.")
        var id: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if orders.count != 1, paymentIntent != nil || amount != nil || currency != nil || id != nil {
                throw ValidationError("--payment-intent, --amount, --currency and --id need exactly one order.")
            }
            if let amount, !(1...Limit.exactInteger).contains(amount) {
                throw ValidationError("--amount must be from 1 to \(Limit.exactInteger).")
            }
            let texts = [("--payment-intent", paymentIntent), ("--currency", currency), ("--id", id)]
            for (name, text) in texts + orders.map({ ("ORDER", $0) }) {
                if let text, let violation = Identifier.violation(in: text) {
                    throw ValidationError("\(name) \(violation).")
                }
            }
        }

        func run() async throws {
            let settings = try options.resolve()
            let ledger = try await settings.ledger.openReader(settings.store)
            defer { try? ledger.close() }
            let client = settings.client()
            let submission = CommandSubmission(
                ledger: ledger, lease: settings.ledger.lease, publisher: RedisMessagePublisher(settings.keys, client))
            let user = await OperatingSystemUser.name()
            let refunds = orders.map { order in
                Refund(
                    refundID: id.map { Identifier($0) } ?? .random("refund"),
                    orderID: Identifier(order), paymentIntentID: paymentIntent, amount: amount, currency: currency,
                    refundedAt: Timestamp.now(), by: user)
            }
            var marked: [Marked] = []
            do {
                for refund in refunds { marked.append(try await mark(refund, submission, ledger)) }
                await client.close()
            } catch let failure as CommandSubmission.Failure {
                let refund = refunds[marked.count]
                let again =
                    orders.count == 1
                    ? "Repeat it under its id, so that it counts only once: \(RepeatCommand.command(after: "mark", id: refund.refundID))"
                    : "Repeat the command: refunds that are already marked are left alone."
                throw Failure(
                    "\(explained(failure.cause)) The refund of order \(refund.orderID.text.printable) was \(failure.sent.text). \(again)"
                )
            }
            if json { printJSON(.members(["refunds": .array(marked.map(\.json))])) }
            if marked.contains(where: { !$0.isWell }) { throw Exit.no }
        }

        /// Marks what is due for one order, and prints the result.
        private func mark(
            _ refund: Refund, _ submission: CommandSubmission, _ ledger: any LedgerReader
        ) async throws -> Marked {
            let order = refund.orderID
            let orderDetails = try await ledger.orderDetails(of: order)
            let isKnown = orderDetails.refunds.contains { $0.refund.refundID == refund.refundID }
            if orderDetails.refundsDue.isEmpty, !isKnown {
                if let last = orderDetails.refunds.last {
                    return tell(
                        Marked(order, last.refund.refundID, .before),
                        "paid back before: \(last.refund.refundID), \(last.decidedAt)")
                }
                return tell(Marked(order, nil, .notDue), "nothing is due")
            }
            let result = try await submission.run(.refund(refund), payload: refund.payload, willSend: {})
            switch result {
            case .recorded:
                let left = try await ledger.orderDetails(of: order).refundsDue
                let rest = left.map { "\($0.amount.map(String.init) ?? "an unknown amount") \($0.currency ?? "")" }
                return tell(
                    Marked(order, refund.refundID, .recorded),
                    "recorded as \(refund.refundID), \(left.isEmpty ? "nothing more is due" : "still due: \(rest.joined(separator: ", "))")"
                )
            case .objection(let cause):
                return tell(Marked(order, nil, .invalid), "not marked: \(cause.reason.rawValue): \(cause.detail)")
            case .deadLetter(let letter):
                return tell(
                    Marked(order, refund.refundID, .invalid),
                    "not marked: \(letter.reason): \(letter.detail) (dead letter \(letter.number))")
            case .sent:
                return tell(
                    Marked(order, refund.refundID, .sent),
                    "sent as \(refund.refundID); it will be recorded once a consumer processes it")
            }
        }

        private func tell(_ marked: Marked, _ text: String) -> Marked {
            let line = "\(marked.order): \(text)".printable
            if !marked.isWell { printError(line) } else if !json { print(line) }
            return marked
        }
    }
}

/// The result of marking one order's refunds.
private struct Marked {
    enum Result: String {
        case recorded
        case sent
        /// Everything was paid back before.
        case before = "given_back_before"
        case notDue = "not_due"
        case invalid
    }

    var order: Identifier
    var refund: Identifier?
    var result: Result

    init(_ order: Identifier, _ refund: Identifier?, _ result: Result) {
        (self.order, self.refund, self.result) = (order, refund, result)
    }

    var isWell: Bool {
        switch result {
        case .recorded, .sent, .before: true
        case .notDue, .invalid: false
        }
    }

    var json: JSONValue {
        .members([
            "order_id": .string(order.text), "refund_id": .text(refund?.text), "result": .string(result.rawValue),
        ])
    }
}
