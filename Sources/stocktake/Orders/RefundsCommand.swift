import ArgumentParser
import Ledger
import StrictJSON
import TextEncodings

struct RefundsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refunds", abstract: "Refunds that are due.", subcommands: [List.self, Mark.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the refunds that are due, latest first.",
            discussion: """
                Refunds are due for refused orders, and for checkouts that became dead letters while no order with their id \
                was accepted; each order id and payment intent is one row. Amounts are in minor units. The note "worked out" \
                means that the message has no total, so the amount is the sum of its items; "check first", that this may \
                not be a second payment: the order id also has another payment intent, recorded or on this list; \
                "cancelled", that the refused order was cancelled later, so its payment may already have been refunded. \
                --csv escapes control characters as JSON does, puts a ' before an order id, payment intent or currency that \
                a spreadsheet would take for a formula (one that begins with =, +, - or @; --json leaves it unchanged), and \
                prints the next --after to standard error. Exit codes: 0 success; 2 the ledger cannot be read.
                """)

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        @Flag(help: "Print comma-separated values.")
        var csv = false

        func validate() throws {
            if csv, page.json { throw ValidationError("--csv and --json cannot be combined.") }
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
    /// The reason and the dead letter: "sold_out", "variant_required (dead letter 7)".
    fileprivate var why: String { reason + (deadLetter.map { " (dead letter \($0))" } ?? "") }

    fileprivate var notes: [String] {
        [
            isToBeChecked ? "check first" : nil, isCancelled ? "cancelled" : nil, isWorkedOut ? "worked out" : nil,
            refunded > 0 ? "\(refunded) paid back" : nil,
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
    /// The sums as text: "3 refunds are due: 298500 usd in minor units, 1 of unknown amount".
    var text: String {
        let amounts = sums.filter { $0.amount > 0 }.map { "\($0.amount) \($0.currency ?? "of other or no currency")" }
        var parts: [String] = amounts.isEmpty ? [] : ["\(amounts.joined(separator: ", ")) in minor units"]
        if unknownAmounts > 0 { parts.append("\(unknownAmounts.grouped) of unknown amount") }
        let count = Int(clamping: refunds)
        return "\(count.counted("refund")) \(count == 1 ? "is" : "are") due: \(parts.joined(separator: ", "))"
    }
}

extension String {
    /// External text, quoted if a spreadsheet would take it for a formula and might run it: if it begins with one of
    /// these characters. Tabs and line ends have the same effect, but are always escaped.
    fileprivate var notAFormula: String {
        first.map { "=+-@＝＋－＠".contains($0) } ?? false ? "'\(self)" : self
    }

    /// The text as an RFC 4180 cell, on one line.
    fileprivate var csvCell: String {
        let text = printable
        return text.contains(where: { $0 == "," || $0 == "\"" })
            ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
}
