import Domain
import Testing

/// A refund's effect on the payments that are due.
@Suite("A refund")
struct RefundTests {
    /// "payment intent amount currency", "?" if unknown; numbered from 1.
    private static func due(_ payments: String...) -> [DuePayment] {
        payments.enumerated().map { number, text in
            let parts = text.split(separator: " ").map { $0 == "?" ? nil : String($0) }
            return DuePayment(
                number: Int64(number + 1),
                payment: Payment(
                    orderID: "o", intentID: parts[0], amount: parts[1].flatMap { Int64($0) }, currency: parts[2]))
        }
    }

    /// "number: amount", and a full stop if nothing is due any more.
    private static func shares(
        of due: [DuePayment], intent: String? = nil, amount: Int64? = nil, currency: String? = nil,
        isKnown: Bool = false
    ) -> [String] {
        let refund = Refund(
            refundID: "r", orderID: "o", paymentIntentID: intent, amount: amount, currency: currency)
        return refund.shares(of: due, isKnown: isKnown).map { share in
            let payment = share.number.map { "\($0)" } ?? share.intentID ?? "-"
            return "\(payment): \(share.amount.map { "\($0)" } ?? "?")\(share.isAll ? "." : "")"
        }
    }

    @Test("without an amount refunds everything that is due, of the payment it names or of all")
    func all() {
        let due = Self.due("pi_1 100 usd", "pi_2 30 usd", "pi_3 ? usd")
        #expect(Self.shares(of: due) == ["1: 100.", "2: 30.", "3: ?."])
        #expect(Self.shares(of: due, intent: "pi_2") == ["2: 30."])
        #expect(Self.shares(of: []) == [])
    }

    @Test("with an amount refunds that amount, one payment after the other, and never more than is due")
    func amounts() {
        let due = Self.due("pi_1 100 usd", "pi_2 30 usd")
        let expected: [(Int64, [String])] = [
            (1, ["1: 1"]), (99, ["1: 99"]), (100, ["1: 100."]), (101, ["1: 100.", "2: 1"]),
            (130, ["1: 100.", "2: 30."]), (1_000, ["1: 100.", "2: 30.", "pi_2: 870"]),
        ]
        for (amount, shares) in expected { #expect(Self.shares(of: due, amount: amount) == shares) }
        // The excess counts when that payment becomes due again, for more.
        #expect(Self.shares(of: due, intent: "pi_2", amount: 50) == ["2: 30.", "pi_2: 20"])
        #expect(Self.shares(of: [], amount: 50) == [])
    }

    @Test("leaves a payment of an unknown amount due unless it refunds everything")
    func unknownAmounts() {
        let due = Self.due("pi_1 ? usd", "pi_2 30 usd")
        #expect(Self.shares(of: due, amount: 40) == ["2: 30.", "1: 10"])
        #expect(Self.shares(of: due, amount: 30) == ["2: 30."])
        #expect(Self.shares(of: due, intent: "pi_1", amount: 40) == ["1: 40"])
    }

    @Test("that names a payment which is not due applies to payments without a known intent only")
    func namedPayments() {
        #expect(Self.shares(of: Self.due("pi_1 100 usd", "? 30 usd"), intent: "pi_9") == ["2: 30."])
        #expect(Self.shares(of: Self.due("? 30 usd"), intent: "pi_9", isKnown: true) == ["pi_9: ?."])
        // It may become due later.
        #expect(Self.shares(of: Self.due("pi_1 100 usd"), intent: "pi_9") == ["pi_9: ?."])
        #expect(Self.shares(of: Self.due("pi_1 100 usd"), intent: "pi_9", amount: 7) == ["pi_9: 7"])
    }

    @Test("refunds nothing that was paid in another currency")
    func currencies() {
        let due = Self.due("pi_1 100 usd", "pi_2 30 EUR", "pi_3 5 ?")
        #expect(Self.shares(of: due, currency: "eur") == ["2: 30.", "3: 5."])
        // An amount without a currency is in one of them.
        #expect(Self.shares(of: due, amount: 104) == ["1: 100.", "3: 4"])
    }

    @Test("is identified by order, payment, amount and currency, but not by its sender or time")
    func digests() {
        func refund(
            _ order: Identifier = "o", intent: String? = nil, amount: Int64? = nil, currency: String? = nil,
            at: String? = nil, by: String? = nil
        ) -> [UInt8] {
            Refund(
                refundID: "r", orderID: order, paymentIntentID: intent, amount: amount, currency: currency,
                refundedAt: at, by: by
            ).digest
        }
        let all = [
            refund(), refund("p"), refund(intent: "a"), refund(amount: 1), refund(amount: 2), refund(currency: "a"),
            refund(intent: "a", currency: "b"), refund(intent: "b", currency: "a"),
        ]
        #expect(Set(all).count == all.count)
        #expect(refund(at: "now", by: "me") == refund() && refund(currency: "USD") == refund(currency: "usd"))
    }

    @Test("leaves a payment's amount less its refunds, and nothing if it was refunded entirely")
    func rests() {
        let payment = Payment(orderID: "o", intentID: "pi", amount: 100)
        let unknown = Payment(orderID: "o", intentID: "pi")
        #expect(GivenBack.nothing.rest(of: payment) == .payment(payment))
        #expect(GivenBack.nothing.rest(of: unknown) == .payment(unknown))
        let rest = Payment(orderID: "o", intentID: "pi", amount: 60)
        #expect(GivenBack(amount: 40, isSettled: true).rest(of: payment) == .payment(rest))
        #expect(GivenBack(amount: 100, isSettled: true).rest(of: payment) == .nothing)
        #expect(GivenBack(amount: 101, isSettled: true).rest(of: payment) == .nothing)
        #expect(GivenBack(amount: 40, isSettled: true).rest(of: unknown) == .unknown)
        #expect(GivenBack(amount: 40).rest(of: unknown) == .payment(unknown))
        #expect(GivenBack(amount: 0, isSettled: true, isAll: true).rest(of: unknown) == .nothing)
        #expect(GivenBack.nothing.rest(of: Payment(orderID: "o", amount: 0)) == .nothing)
    }
}
