import ArgumentParser
import Ledger
import StrictJSON
import TextEncodings

struct RefundsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refunds", abstract: "Payments that are to be given back.", subcommands: [List.self, Mark.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the refunds that are due, latest first.",
            discussion: """
                Of refused orders, and of checkouts that became dead letters while no order with their id was accepted; \
                one row for an order id and payment intent. Amounts are in minor units. worked out: the message has no \
                total, the amount is the sum of its items. check first: it may be no second payment; the order id is \
                recorded with another payment intent, or on this list with one. cancelled: the refused order was \
                cancelled later, so its money may have been given back already. --csv writes control characters as \
                JSON escapes them, a ' before an order id, payment intent or currency that a spreadsheet would take for a formula \
                (one that begins with =, +, - or @; --json has it as it is), and what is to be asked for next to standard \
                error. Exit codes: 0; 2 the ledger cannot be read.
                """)

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        @Flag(help: "Print comma-separated values.")
        var csv = false

        func validate() throws {
            if csv, page.json { throw ValidationError("--csv and --json exclude each other.") }
        }

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let (refunds, due) = try await ledger.refunds(limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members([
                        "refunds": .array(refunds.elements.map(\.json)), "next": .text(refunds.next),
                    ]))
            } else if csv {
                printCSV(refunds.elements)
                if let next = refunds.next { printError("more: --after \(next)") }
            } else {
                printTable(refunds.elements)
                page.tellNext(refunds.next)
                print(due.refunds > 0 ? due.text : "no refund is due")
            }
        }

        private func printTable(_ refunds: [RefundDue]) {
            var table = Table([
                ("ORDER", .left), ("PAYMENT INTENT", .left), ("AMOUNT", .right), ("CURRENCY", .left), ("WHY", .left),
                ("SINCE", .left), ("NOTE", .left),
            ])
            for refund in refunds {
                table.add([
                    refund.orderID ?? "", refund.paymentIntentID ?? "", refund.amount.map { String($0) } ?? "unknown",
                    refund.currency ?? "", refund.why, refund.since, refund.notes.joined(separator: ", "),
                ])
            }
            table.print()
        }

        private func printCSV(_ refunds: [RefundDue]) {
            print("order_id,payment_intent_id,amount,currency,why,dead_letter,since,note")
            for refund in refunds {
                let cells = [
                    (refund.orderID ?? "").notAFormula, (refund.paymentIntentID ?? "").notAFormula,
                    refund.amount.map { String($0) } ?? "",
                    (refund.currency ?? "").notAFormula, refund.reason, refund.deadLetter.map { String($0) } ?? "",
                    refund.since,
                    refund.notes.joined(separator: ", "),
                ]
                print(cells.map(\.csvCell).joined(separator: ","))
            }
        }
    }
}

extension RefundDue {
    /// "sold_out", "variant_required (dead letter 7)".
    fileprivate var why: String { reason + (deadLetter.map { " (dead letter \($0))" } ?? "") }

    fileprivate var notes: [String] {
        [
            isToBeChecked ? "check first" : nil, isCancelled ? "cancelled" : nil, isWorkedOut ? "worked out" : nil,
            refunded > 0 ? "\(refunded) given back" : nil,
        ].compactMap { $0 }
    }

    var json: JSONValue {
        .members([
            "id": .integer(number), "order_id": .text(orderID), "payment_intent_id": .text(paymentIntentID),
            "amount": .integer(amount), "refunded": .integer(refunded), "currency": .text(currency),
            "is_worked_out": .bool(isWorkedOut),
            "check_first": .bool(isToBeChecked), "is_cancelled": .bool(isCancelled), "reason": .string(reason),
            "dead_letter": .integer(deadLetter), "since": .string(since),
        ])
    }
}

extension RefundsDue {
    /// "3 refunds are due: 298500 usd in minor units, 1 of unknown amount".
    var text: String {
        let amounts = sums.filter { $0.amount > 0 }.map { "\($0.amount) \($0.currency ?? "of other or no currency")" }
        var parts: [String] = amounts.isEmpty ? [] : ["\(amounts.joined(separator: ", ")) in minor units"]
        if unknownAmounts > 0 { parts.append("\(unknownAmounts.grouped) of unknown amount") }
        let count = Int(clamping: refunds)
        return "\(count.counted("refund")) \(count == 1 ? "is" : "are") due: \(parts.joined(separator: ", "))"
    }
}

extension String {
    /// A text from outside as a spreadsheet shows it, which takes a cell that begins with one of these for a formula
    /// and may run it. Tabs and ends of lines, which do the same, are escaped in any case.
    fileprivate var notAFormula: String {
        first.map { "=+-@＝＋－＠".contains($0) } ?? false ? "'\(self)" : self
    }

    /// A cell by RFC 4180, on one line.
    fileprivate var csvCell: String {
        let text = printable
        return text.contains(where: { $0 == "," || $0 == "\"" })
            ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
}
