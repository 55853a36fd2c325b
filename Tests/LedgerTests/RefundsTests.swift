import Domain
import Ledger
import LedgerSamples
import Testing

private func paid(_ id: String?, _ intent: String?, _ amount: Int64?, _ currency: String? = "usd") -> Payment {
    Payment(orderID: id.map { Identifier($0) }, intentID: intent, amount: amount, currency: currency)
}

/// A dead letter about a payment; its entry is named after the number.
private func letter(_ number: Int, _ payment: Payment, _ reason: DeadLetterReason = .productClosed)
    -> BatchRecord<DecidedCommand>
{
    deadLetter("\(number)-0", reason: reason, orderID: payment.orderID, payment: payment)
}

private func checkout(
    _ id: Identifier, _ intent: String?, total: Int64? = nil, units: Int64 = 9, product: Identifier = "kit",
    unitPrice: Int64 = 100
) -> Checkout {
    Checkout(
        orderID: id, paymentIntentID: intent, currency: "usd", total: total,
        items: [.init(productID: product, units: units, unitPrice: unitPrice)])
}

private let notEnough = refused(.product("kit"), asked: 9, left: 3)

@Suite("Refunds are due")
struct RefundsTests {
    /// "order/intent amount currency reason notes", latest first.
    private func list(_ fixture: LedgerFixture) async throws -> [String] {
        let (page, due) = try await fixture.ledger.refunds(limit: 1_000, after: nil)
        #expect(due.refunds == Int64(page.elements.count))
        #expect(try await fixture.ledger.check().refundFaults == 0)
        return page.elements.map { refund in
            let notes = [
                refund.isToBeChecked ? "check" : nil, refund.isWorkedOut ? "worked out" : nil,
                refund.isCancelled ? "cancelled" : nil,
            ].compactMap { $0 }
            let amount = refund.amount.map { "\($0)" } ?? "?"
            return
                ([
                    "\(refund.orderID ?? "-")/\(refund.paymentIntentID ?? "-")", amount, refund.currency ?? "-",
                    refund.reason,
                ]
                + notes).joined(separator: " ")
        }
    }

    /// The payment intents of all orders.
    private func intents(_ fixture: LedgerFixture) async throws -> [String?] {
        try await fixture.ledger.orders(status: nil, limit: 9, after: nil).elements.map(\.checkout.paymentIntentID)
    }

    @Test(
        "of refused orders: the total, or else the sum of the items; nothing for nothing",
        arguments: Backend.allCases)
    func refusedOrders(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order(checkout("a", "pi_a", total: 850), notEnough), order(checkout("b", nil), notEnough),
                order(checkout("c", "pi_c", total: 0), notEnough),
                order(checkout("d", "pi_d", total: -5), notEnough),
                order(checkout("e", "pi_e", unitPrice: 0), notEnough),
                order(checkout("f", "pi_f", total: 7, units: 1, product: "sheet"), .accepted(seq: 1)))
            #expect(
                try await list(fixture) == ["b/- 900 usd insufficient worked out", "a/pi_a 850 usd insufficient"])
            let due = try await fixture.ledger.statistics().refunds
            #expect(due == RefundsDue(refunds: 2, sums: [.init(currency: "usd", refunds: 2, amount: 1_750)]))
        }
    }

    @Test(
        "of dead letters, one per order id and payment intent, until an order with that id is accepted",
        arguments: Backend.allCases)
    func letters(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                letter(1, paid("a", "pi_a", 500)), letter(2, paid("a", "pi_a", 500), .variantClosed),
                letter(3, paid("b", "pi_b", nil), .invalidJSON), letter(4, paid("c", nil, 0)),
                deadLetter("5-0", reason: .unknownType, orderID: "d"))
            #expect(
                try await list(fixture) == ["b/pi_b ? usd invalid_json", "a/pi_a 500 usd variant_closed"])
            #expect(try await fixture.ledger.statistics().refunds.unknownAmounts == 1)
            // The corrected message; its items may differ, and so may its payment intent.
            try await fixture.record(order(checkout("a", "pi_a2", units: 1, product: "sheet"), .accepted(seq: 1)))
            #expect(try await list(fixture) == ["b/pi_b ? usd invalid_json"])
            // A damaged message of an accepted order owes nothing, even in the same batch.
            try await fixture.record(
                letter(6, paid("e", "pi_e", 5)),
                order(checkout("e", "pi_e", units: 1, product: "sheet"), .accepted(seq: 2)),
                letter(7, paid("e", "pi_e", 5)), letter(8, paid("a", "pi_a", 500)))
            #expect(try await list(fixture) == ["b/pi_b ? usd invalid_json"])
            // Republished and refused: the order says more than its dead letter.
            try await fixture.record(order(checkout("b", "pi_b", total: 40), notEnough))
            try await fixture.record(letter(9, paid("b", "pi_b", 41), .invalidValue))
            #expect(try await list(fixture) == ["b/pi_b 40 usd insufficient"])
        }
    }

    @Test("of more dead letters than the batch has orders, and of fewer", arguments: Backend.allCases)
    func manyLetters(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record((1...20).map { letter($0, paid("o\($0)", nil, 10)) })
            try await fixture.record(order(checkout("o7", nil, units: 1, product: "sheet"), .accepted(seq: 1)))
            #expect(try await list(fixture).count == 19)
            let rest = (8...20).map { number in
                order(
                    checkout(Identifier("o\(number)"), nil, units: 1, product: "sheet"),
                    .accepted(seq: Int64(number - 6)))
            }
            let others = (1...30).map { number in
                order(
                    checkout(Identifier("p\(number)"), nil, units: 1, product: "sheet"),
                    .accepted(seq: Int64(14 + number)))
            }
            try await fixture.record(rest + others)
            #expect(try await list(fixture).map { String($0.prefix(2)) } == ["o6", "o5", "o4", "o3", "o2", "o1"])
        }
    }

    @Test(
        "of a conflict only if it was paid with another payment intent, and then it must be checked first",
        arguments: Backend.allCases)
    func conflicts(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order(checkout("a", "pi_a", units: 1, product: "sheet"), .accepted(seq: 1)),
                letter(1, paid("a", "pi_a", 500), .orderConflict), letter(2, paid("a", "pi_b", 600), .orderConflict),
                order(checkout("n", nil, units: 1, product: "sheet"), .accepted(seq: 2)),
                letter(3, paid("n", nil, 500), .orderConflict), letter(4, paid("n", "", 500), .orderConflict))
            #expect(try await list(fixture) == ["a/pi_b 600 usd order_conflict check"])
            try await fixture.record(
                order(checkout("r", "pi_r", total: 9), notEnough), letter(5, paid("r", "pi_r", 8), .orderConflict),
                letter(6, paid("r", "pi_s", 7), .orderConflict))
            #expect(
                try await list(fixture) == [
                    "r/pi_s 7 usd order_conflict check", "r/pi_r 9 usd insufficient",
                    "a/pi_b 600 usd order_conflict check",
                ])
            // Erasing a refused order hides nothing that the refund knows about it.
            _ = try await fixture.ledger.erase(["r"])
            try await fixture.record(letter(7, paid("r", "pi_r", 8), .orderConflict))
            #expect(try await list(fixture).count == 3)
        }
    }

    @Test(
        "of a dead letter without an intent beside a payment of the same order: to be checked first",
        arguments: Backend.allCases)
    func withoutIntent(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(letter(1, paid("a", nil, 5)))
            #expect(try await list(fixture) == ["a/- 5 usd product_closed"])
            try await fixture.record(order(checkout("a", "pi_a", total: 5), notEnough))
            #expect(try await list(fixture) == ["a/pi_a 5 usd insufficient", "a/- 5 usd product_closed check"])
        }
    }

    @Test(
        "of dead letters without an order id, one each; a republished one is replaced by its successor",
        arguments: Backend.allCases)
    func withoutOrder(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                letter(1, paid(nil, "pi_1", 5), .missingField), letter(2, paid(nil, "pi_1", 5), .missingField),
                letter(3, Payment(), .crashedConsumer))
            #expect(try await list(fixture).count == 3)
            _ = try await fixture.ledger.replay(.numbers([2, 3]))
            #expect(try await list(fixture).count == 3)
            try await fixture.record([letter(4, paid(nil, "pi_1", 5), .missingField)], replayed: [2])
            try await fixture.record(
                [order(checkout("found", "pi", units: 1, product: "sheet"), .accepted(seq: 1))], replayed: [3])
            #expect(
                try await list(fixture) == ["-/pi_1 5 usd missing_field", "-/pi_1 5 usd missing_field"])
        }
    }

    @Test("less what was refunded, until nothing is left, and not again", arguments: Backend.allCases)
    func givenBack(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let ledger = fixture.ledger
            try await fixture.record(
                order(checkout("a", "pi_a", total: 850), notEnough), letter(1, paid("b", "pi_b", 500)),
                letter(2, paid("c", nil, nil)),
                order(checkout("d", "pi_d", units: 1, product: "sheet"), .accepted(seq: 1)))
            // In parts; nothing is due for an accepted order, but its refund is recorded nevertheless.
            let answer = try await fixture.record(
                refund("r1", of: "a", amount: 300, currency: "usd"), refund("r2", of: "b"), refund("r3", of: "d"))
            #expect(answer == .recorded(position: try await ledger.head().position))
            #expect(try await ledger.head().seq == 1)
            #expect(try await list(fixture) == ["c/- ? usd product_closed", "a/pi_a 550 usd insufficient"])
            let (page, due) = try await ledger.refunds(limit: 9, after: nil)
            #expect(page.elements.map(\.refunded) == [0, 300])
            #expect(
                due
                    == RefundsDue(
                        refunds: 2, unknownAmounts: 1, sums: [.init(currency: "usd", refunds: 2, amount: 550)]))
            // A single amount never covers an unknown one.
            try await fixture.record(refund("r4", of: "c", amount: 7), refund("r5", of: "a", amount: 600))
            #expect(try await list(fixture) == ["c/- ? usd product_closed"])
            try await fixture.record(refund("r6", of: "c"))
            #expect(try await list(fixture) == [])
            // A repeated payment is not due again: neither its dead letter nor the order that it becomes.
            try await fixture.record(
                letter(3, paid("b", "pi_b", 500)), letter(4, paid("c", nil, nil)),
                order(checkout("b", "pi_b", total: 520), notEnough))
            #expect(try await list(fixture) == ["b/pi_b 20 usd insufficient"])
            // A second payment is due.
            try await fixture.record(letter(5, paid("a", "pi_z", 850), .orderConflict))
            #expect(try await list(fixture) == ["a/pi_z 850 usd order_conflict check", "b/pi_b 20 usd insufficient"])
            let orderDetails = try await ledger.orderDetails(of: "a")
            #expect(
                orderDetails.refunds.map(\.refund.refundID) == ["r1", "r5"]
                    && orderDetails.refunds[0].refund.amount == 300)
            #expect(
                orderDetails.refunds[0].refund.by == "support"
                    && orderDetails.refunds[0].refund.refundedAt == "2026-11-22")
        }
    }

    @Test(
        "not again in the batch that refunds it, nor if it was refunded before it was due",
        arguments: Backend.allCases)
    func givenBackAtOnce(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(letter(1, paid("a", "pi_a", 500)), letter(2, paid("b", nil, nil)))
            try await fixture.record(refund("r1", of: "a"), letter(3, paid("a", "pi_a", 500)))
            #expect(try await list(fixture) == ["b/- ? usd product_closed"])
            // Paid twice; the second payment was refunded before its message arrived.
            try await fixture.record(order(checkout("c", "pi_1", units: 1, product: "sheet"), .accepted(seq: 1)))
            try await fixture.record(refund("r2", of: "c", intent: "pi_2", amount: 100))
            try await fixture.record(letter(4, paid("c", "pi_2", 100), .orderConflict))
            #expect(try await list(fixture) == ["b/- ? usd product_closed"])
            // A refund of the order's own payment does not count for another one.
            try await fixture.record(letter(5, paid("c", nil, 70), .orderConflict))
            try await fixture.record(refund("r3", of: "c", intent: "pi_1", amount: 70))
            #expect(try await list(fixture).first?.hasPrefix("c/- 70 usd") == true)
            // However much is refunded of an unknown amount.
            for number in 0..<5 {
                try await fixture.record(refund(Identifier("big\(number)"), of: "b", amount: Limit.exactInteger))
            }
            let page = try await fixture.ledger.refunds(limit: 9, after: nil).page
            #expect(page.elements.last?.refunded == Limit.exactInteger)
            #expect(try await fixture.ledger.check().isSound)
            try await fixture.record(letter(6, paid("b", nil, nil)))
            #expect(try await list(fixture).last == "b/- ? usd product_closed")
        }
    }

    @Test("of refunds that preceded their order, also if that is a dead letter", arguments: Backend.allCases)
    func early(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            func early(_ number: Int, _ order: Identifier, _ kind: Command.Kind) -> BatchRecord<DecidedCommand> {
                guard case .deadLetter(var letter) = deadLetter("\(number)-0", reason: .unknownOrder, orderID: order)
                else { preconditionFailure() }
                letter.ids[kind] = "x"
                return .deadLetter(letter)
            }
            try await fixture.record(
                early(1, "a", .refund), early(2, "b", .refund), early(3, "b", .cancel), early(4, "c", .refund))
            try await fixture.record(
                order("a", [("sheet", nil, 1)], .accepted(seq: 1)), letter(5, paid("b", "pi_b", 500)),
                deadLetter("6-0", reason: .unknownType, orderID: "c"))
            // A dead letter has nothing to cancel, and one that is not a checkout is not an order.
            #expect(try await fixture.ledger.requestedReplays(limit: 9).map(\.number) == [1, 2])
        }
    }

    @Test("as long as they are unpaid, whatever is erased and discarded", arguments: Backend.allCases)
    func kept(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order(checkout("a", "pi_a", total: 850), notEnough), letter(1, paid("b", "pi_b", 20)),
                letter(2, paid(nil, "pi_c", 30), .missingField))
            let before = try await list(fixture)
            #expect(before.count == 3)
            #expect(try await fixture.ledger.erase(["a", "b"]) == .erased(orders: 1, deadLetters: 1, refunds: 2))
            #expect(try await fixture.ledger.discard(.numbers([2])) == .done(changed: 1, already: 0))
            #expect(try await list(fixture) == before)
            #expect(try await intents(fixture) == [nil])
            // Once it is no longer due, nothing of it is kept.
            try await fixture.record(order(checkout("b", nil, units: 1, product: "sheet"), .accepted(seq: 1)))
            #expect(try await list(fixture).filter { $0.contains("pi_b") }.isEmpty)
        }
    }

    @Test(
        "not for the payment of an erased order that is repeated, but for another payment of it",
        arguments: Backend.allCases
    )
    func erasedOrder(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order(checkout("a", "pi_a", units: 1, product: "sheet"), .accepted(seq: 1)),
                order(checkout("n", nil, units: 1, product: "sheet"), .accepted(seq: 2)),
                order(checkout("r", "pi_r", total: 0), notEnough))
            // The second time nothing is left to compute a digest of.
            for _ in 1...2 { _ = try await fixture.ledger.erase(["a", "n", "r"]) }
            #expect(try await intents(fixture) == [nil, nil, nil])
            try await fixture.record(
                letter(1, paid("a", "pi_a", 500), .orderConflict), letter(2, paid("n", nil, 500), .orderConflict),
                letter(3, paid("r", "pi_r", 500), .missingField))
            #expect(try await list(fixture) == [])
            try await fixture.record(
                letter(4, paid("a", "pi_b", 600), .orderConflict), letter(5, paid("n", "pi_a", 700), .orderConflict))
            #expect(
                try await list(fixture) == [
                    "n/pi_a 700 usd order_conflict check", "a/pi_b 600 usd order_conflict check",
                ])
        }
    }

    @Test("also for a refused order that was cancelled, which says so", arguments: Backend.allCases)
    func cancelled(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order(checkout("a", "pi_a", total: 850), notEnough))
            try await fixture.record(
                cancellation(Cancellation(cancellationID: "re_1", orderID: "a"), of: [], .unchanged))
            #expect(try await list(fixture) == ["a/pi_a 850 usd insufficient cancelled"])
        }
    }

    @Test("in sums by currency that stay exact, whatever messages say", arguments: Backend.allCases)
    func sums(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let most = Limit.exactInteger
            try await fixture.record(
                (1...1_500).map { letter($0, paid("o\($0)", nil, most, $0.isMultiple(of: 2) ? "usd" : "USD")) })
            try await fixture.record(
                letter(2_001, paid("x", nil, 3, "euro")), letter(2_002, paid("y", nil, 4, nil)),
                letter(2_003, paid("z", nil, 5, "Dolores <dolores@example.com>")))
            let due = try await fixture.ledger.statistics().refunds
            // 1,500 × (2^53 − 1) exceeds 64 bits: the reported sum stops there, the stored one does not.
            #expect(
                due
                    == RefundsDue(
                        refunds: 1_503,
                        sums: [
                            .init(currency: "usd", refunds: 1_500, amount: .max),
                            .init(currency: nil, refunds: 3, amount: 12),
                        ]))
            #expect(try await fixture.ledger.check().isSound)
            try await fixture.record(
                (1...1_499).map { number in
                    order(
                        checkout(Identifier("o\(number)"), nil, units: 1, product: "sheet"),
                        .accepted(seq: Int64(number)))
                })
            #expect(
                try await fixture.ledger.statistics().refunds.sums.contains(
                    .init(currency: "usd", refunds: 1, amount: most)))
        }
    }

    @Test("page by page, latest first", arguments: Backend.allCases)
    func pages(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record((1...7).map { letter($0, paid("o\($0)", nil, 10)) })
            var (found, after): ([String?], String?) = ([], nil)
            repeat {
                let page = try await fixture.ledger.refunds(limit: 3, after: after).page
                #expect(page.elements.count <= 3)
                found += page.elements.map(\.orderID)
                after = page.next
            } while after != nil
            #expect(found == (1...7).reversed().map { "o\($0)" })
        }
    }
}
