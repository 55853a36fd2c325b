import GRDB
import Domain
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

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

/// The sums and rows of refunds, recounted.
@Suite("Refunds in a SQLite ledger")
struct RefundSumsTests {
    @Test(
        "as the check recounts them",
        arguments: [
            "UPDATE refund_sums SET amount_rest = amount_rest + 1", "UPDATE refund_sums SET refunds = 0",
            "DELETE FROM refund_sums", "INSERT INTO refund_sums VALUES ('eur', 1, 0, 0, 7)",
            "DELETE FROM refunds WHERE order_id = 'a'", "UPDATE ledger SET refunds_awaiting_order = 2",
            "UPDATE refunds SET order_id = 'c' WHERE order_id = 'b'",
        ])
    func tampered(_ sql: String) async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(
                order(checkout("a", "pi_a", total: 850), notEnough), letter(1, paid("b", "pi_b", 20)),
                order(checkout("c", "pi_c", units: 1, product: "sheet"), .accepted(seq: 1)))
            #expect(try await fixture.ledger.check().isSound)
            try fixture.tamper(sql)
            let check = try await fixture.ledger.check()
            #expect(check.refundFaults > 0 && !check.isSound)
        }
    }
}
