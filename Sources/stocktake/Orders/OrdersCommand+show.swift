import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

extension OrdersCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one order in full: items, cancellations, what it still owns, refunds, dead letters.",
            discussion: """
                The audit records who viewed a customer's data ('audit list'). Exit codes: 0 success; 1 there is no such \
                order.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The order's id.", valueName: "ID"))
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let orderDetails = try await ledger.orderDetails(of: Identifier(id))
            guard let order = orderDetails.order else {
                let numbers = orderDetails.deadLetters.map(\.number)
                printError(
                    "no order \"\(id)\" in the ledger. "
                        + (numbers.isEmpty
                            ? "'stocktake dead-letters list' shows messages that were never decided."
                            : "Its id is in \(numbers.listed("dead letter")): 'stocktake dead-letters show \(numbers[0])'.")
                )
                throw Exit.no
            }
            if order.checkout.customer != nil || order.checkout.shippingAddress != nil {
                await noteLook(.showOrder, at: order.checkout.orderID.text, options)
            }
            if json { return printJSON(orderDetails.json(order)) }
            show(order)
            showItems(order.checkout)
            showCancellations(orderDetails)
            showRefunds(orderDetails)
            showDeadLetters(orderDetails)
        }

        private func show(_ order: RecordedOrder) {
            let checkout = order.checkout
            var table = Table([("order", .left), (checkout.orderID.text, .left)])
            func add(_ name: String, _ value: String?) {
                if let value, !value.isEmpty { table.add([name, value]) }
            }
            add("status", order.status.rawValue)
            add("erased", order.erasedAt.map { "customer's data removed \($0)" })
            add("reason", order.reasonText)
            add("seq", order.seq?.grouped)
            add("decided", order.decidedAt)
            add("entry", order.entryID)
            add("completed", checkout.completedAt)
            add("payment", checkout.paymentIntentID)
            let money = [
                ("subtotal", checkout.subtotal), ("tax", checkout.tax), ("shipping", checkout.shipping),
                ("total", checkout.total),
            ]
            for (name, amount) in money { add(name, amount.map { "\($0) \(checkout.currency ?? "") (minor units)" }) }
            add("customer", [checkout.customer?.id, checkout.customer?.name, checkout.customer?.email].joinedTexts)
            let address = checkout.shippingAddress
            add(
                "ship to",
                [
                    address?.name, address?.line1, address?.line2, address?.city, address?.state, address?.postalCode,
                    address?.country,
                ].joinedTexts)
            table.print()
        }

        private func showItems(_ checkout: Checkout) {
            print("")
            var items = Table([
                ("LINE", .right), ("PRODUCT", .left), ("VARIANT", .left), ("QUANTITY", .right), ("UNIT PRICE", .right),
                ("NAME", .left),
            ])
            for (line, item) in checkout.items.enumerated() {
                items.add([
                    String(line + 1), item.productID.text, item.variantID?.text ?? "", item.units.grouped,
                    String(item.unitPrice), [item.productName, item.variantName].joinedTexts,
                ])
            }
            items.print()
        }

        /// Shows what each cancellation released, and what the order still owns after all of them.
        private func showCancellations(_ orderDetails: OrderDetails) {
            if orderDetails.cancellations.isEmpty { return }
            for cancellation in orderDetails.cancellations {
                print("")
                let seq = cancellation.seq.map { "seq \($0.grouped)" } ?? "no counter changed"
                print(
                    "cancellation \(cancellation.id), \(cancellation.decidedAt), \(seq)\(cancellation.restock ? "" : ", not restocked")"
                )
                var table = Table([
                    ("PRODUCT", .left), ("VARIANT", .left), ("ASKED", .right), ("RELEASED", .right),
                    ("GIVEN BACK", .right),
                ])
                for item in cancellation.items {
                    table.add([
                        item.sku.productID.text, item.sku.variantID?.text ?? "", item.asked?.grouped ?? "all",
                        item.released.grouped, item.givenBack.grouped,
                    ])
                }
                if !cancellation.items.isEmpty { table.print() }
                if cancellation.notOwned > 0 {
                    print(
                        "asked for \(Int(clamping: cancellation.notOwned).counted("unit")) that the order did not own")
                }
            }
            print("")
            let owned = orderDetails.owned.map { owned in
                let sku = [owned.sku.productID.text, owned.sku.variantID?.text].joinedTexts
                return "\(owned.units.grouped) of \(sku)"
            }
            print("still owns: \(owned.isEmpty ? "nothing" : owned.joined(separator: "; "))")
        }

        /// Shows the recorded refunds, and those that are still due.
        private func showRefunds(_ orderDetails: OrderDetails) {
            if orderDetails.refunds.isEmpty, orderDetails.refundsDue.isEmpty { return }
            print("")
            var table = Table([
                ("REFUND", .left), ("AMOUNT", .right), ("CURRENCY", .left), ("PAYMENT", .left), ("DECIDED", .left),
            ])
            for recorded in orderDetails.refunds {
                let refund = recorded.refund
                table.add([
                    refund.refundID.text, refund.amount.map { String($0) } ?? "all", refund.currency ?? "",
                    refund.paymentIntentID ?? "", recorded.decidedAt,
                ])
            }
            for due in orderDetails.refundsDue {
                table.add([
                    "(due)", due.amount.map { String($0) } ?? "unknown", due.currency ?? "", due.paymentIntentID ?? "",
                    "",
                ])
            }
            table.print()
        }

        private func showDeadLetters(_ orderDetails: OrderDetails) {
            if orderDetails.deadLetters.isEmpty { return }
            print("")
            var table = Table([
                ("DEAD LETTER", .right), ("STATUS", .left), ("REASON", .left), ("RECEIVED", .left), ("DETAIL", .left),
            ])
            for letter in orderDetails.deadLetters {
                table.add([
                    String(letter.number), letter.status.rawValue, letter.reason, letter.receivedAt, letter.detail,
                ])
            }
            table.print()
        }
    }
}

extension [String?] {
    /// The non-empty texts, separated by commas.
    fileprivate var joinedTexts: String { compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ") }
}

extension OrderDetails {
    /// The order as in a list, with its items, cancellations, refunds and dead letters.
    fileprivate func json(_ order: RecordedOrder) -> JSONValue {
        guard case .object(var object) = order.json(withItems: true) else { return .null }
        object.append("cancellations", .array(cancellations.map(\.json)))
        object.append(
            "owned",
            .array(
                owned.map { owned in
                    .members([
                        "product_id": .string(owned.sku.productID.text),
                        "variant_id": .text(owned.sku.variantID?.text), "quantity": .integer(owned.units),
                    ])
                }))
        object.append("refunds", .array(refunds.map(\.json)))
        object.append("refunds_due", .array(refundsDue.map(\.json)))
        object.append("dead_letters", .array(deadLetters.map { $0.json(withContent: false) }))
        return .object(object)
    }
}

extension RecordedRefund {
    fileprivate var json: JSONValue {
        .members([
            "refund_id": .string(refund.refundID.text), "payment_intent_id": .text(refund.paymentIntentID),
            "amount": .integer(refund.amount), "currency": .text(refund.currency),
            "refunded_at": .text(refund.refundedAt), "by": .text(refund.by), "decided_at": .string(decidedAt),
            "entry_id": .string(entryID),
        ])
    }
}

extension RecordedCancellation {
    fileprivate var json: JSONValue {
        .members([
            "cancellation_id": .string(id.text), "cancelled_at": .text(cancelledAt), "restock": .bool(restock),
            "seq": .integer(seq), "units": .integer(units), "not_owned": .integer(notOwned),
            "decided_at": .string(decidedAt), "entry_id": .string(entryID),
            "items": .array(
                items.map { item in
                    .members([
                        "product_id": .string(item.sku.productID.text),
                        "variant_id": .text(item.sku.variantID?.text), "asked": .integer(item.asked),
                        "released": .integer(item.released), "given_back": .integer(item.givenBack),
                    ])
                }),
        ])
    }
}
