import Foundation
import Domain
import Randomness
import TestSupport
import Ledger
import LedgerSamples
import Testing

/// The refunds that are due by definition, computed from all events.
private struct RefundModel {
    struct Due: Hashable {
        var order: String?
        var intent: String?
        var amount: Int64?
        var currency: String?
        var reason: String
    }

    struct Letter {
        var payment: Payment
        var reason: DeadLetterReason
        /// Its order was recorded, with the same payment intent.
        var isOfRecorded = false
        var isReplayed = false
    }

    /// By id; for a refused order, its payment.
    var orders: [String: (isAccepted: Bool, payment: Payment)] = [:]
    /// By number − 1.
    var letters: [Letter] = []

    /// Refunded amounts, by order and payment intent; `nil` means all of an unknown amount.
    var givenBack: [String: [Int64?]] = [:]

    /// Refunds what is due under an order's id: for the named payment, or for all.
    /// - Parameter amount: Given only if exactly one payment is due.
    mutating func refund(_ id: String, intent: String?, amount: Int64?) {
        var due = due.filter { $0.order == id }
        if let intent {
            let own = due.filter { $0.intent == intent }
            let isKnown = orders[id]?.payment.intentID == intent || givenBack["\(id)/\(intent)"] != nil
            due = own.isEmpty && !isKnown ? due.filter { $0.intent == nil } : own
        }
        for payment in due {
            let key = "\(id)/\(payment.intent ?? "")"
            guard let amount else {
                givenBack[key, default: []].append(payment.amount)
                continue
            }
            let own = min(amount, payment.amount ?? amount)
            givenBack[key, default: []].append(own)
            // The excess is kept, too, if its payment is known.
            guard let named = payment.intent ?? intent, amount > own else { continue }
            givenBack["\(id)/\(named)", default: []].append(amount - own)
        }
        if due.isEmpty, let intent { givenBack["\(id)/\(intent)", default: []].append(amount) }
    }

    /// The remainder after refunds.
    private func rest(_ due: Due) -> Due? {
        guard let id = due.order, let given = givenBack["\(id)/\(due.intent ?? "")"] else { return due }
        if given.contains(nil) { return nil }
        var rest = due
        rest.amount = due.amount.map { $0 - given.reduce(0) { $0 + ($1 ?? 0) } }
        return rest.amount.map { $0 <= 0 } ?? false ? nil : rest
    }

    mutating func add(_ letter: Letter) {
        var letter = letter
        if let id = letter.payment.orderID?.text, let order = orders[id] {
            // Also if the order is erased.
            letter.isOfRecorded = order.payment.intentID ?? "" == letter.payment.intentID ?? ""
        }
        letters.append(letter)
    }

    /// The order overrides what dead letters have said about the same payment.
    mutating func add(_ id: String, isAccepted: Bool, _ payment: Payment) {
        orders[id] = (isAccepted, payment)
        for number in letters.indices where letters[number].payment.orderID?.text == id {
            if letters[number].payment.intentID ?? "" == payment.intentID ?? "" { letters[number].isOfRecorded = true }
        }
    }

    var due: Set<Due> {
        var found: [String: Due] = [:]
        for (number, letter) in letters.enumerated() where !letter.payment.isFree && !letter.isOfRecorded {
            let payment = letter.payment
            let id = payment.orderID?.text
            let isAccepted = id.flatMap { orders[$0] }?.isAccepted == true
            if letter.reason != .orderConflict && isAccepted || id == nil && letter.isReplayed { continue }
            let key = id.map { "\($0)/\(payment.intentID ?? "")" } ?? "letter \(number)"
            let before = found[key]
            found[key] = Due(
                order: id, intent: payment.intentID, amount: payment.amount ?? before?.amount,
                currency: payment.amount == nil && before != nil ? before?.currency : payment.currency,
                reason: letter.reason.rawValue)
        }
        for (id, order) in orders where !order.isAccepted && !order.payment.isFree {
            let payment = order.payment
            found["\(id)/\(payment.intentID ?? "")"] = Due(
                order: id, intent: payment.intentID, amount: payment.amount, currency: payment.currency,
                reason: "insufficient")
        }
        return Set(found.values.compactMap(rest))
    }
}

/// Random histories of a ledger, as its consumer and its operator make them.
private struct RefundHistory {
    let fixture: LedgerFixture
    var random: SeededGenerator
    var model = RefundModel()
    private var seq: Int64 = 0
    private var entries = 0
    private var refunds = 0

    init(_ fixture: LedgerFixture, seed: UInt64) {
        self.fixture = fixture
        random = SeededGenerator(seed: seed)
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }

    private mutating func payment(of id: String?) -> Payment {
        Payment(
            orderID: id.map { Identifier($0) }, intentID: pick(["pi_1", "pi_2", nil]),
            amount: pick([nil, 0, -3, 100, 2_000_000, Limit.exactInteger]),
            currency: pick(["usd", "EUR", "eur", nil, "o'clock", "euros"]))
    }

    private mutating func id() -> String { "o\(Int.random(in: 0..<40, using: &random))" }

    private mutating func newRecord() -> BatchRecord<DecidedCommand> {
        let id = id()
        if model.orders[id] != nil {
            return letter(payment(of: id), pick([.orderConflict, .orderConflict, .missingField]))
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return letter(payment(of: id), pick([.productClosed, .variantRequired, .invalidJSON]))
        case 1: return letter(payment(of: nil), pick([.invalidJSON, .crashedConsumer]))
        default: return newOrder(id)
        }
    }

    private mutating func letter(_ payment: Payment, _ reason: DeadLetterReason) -> BatchRecord<DecidedCommand> {
        entries += 1
        model.add(RefundModel.Letter(payment: payment, reason: reason))
        return deadLetter("\(entries)-0", reason: reason, orderID: payment.orderID, payment: payment)
    }

    private mutating func newOrder(_ id: String) -> BatchRecord<DecidedCommand> {
        let isAccepted = random.chance(50)
        let total: Int64? = pick([nil, 0, 77])
        let checkout = Checkout(
            orderID: Identifier(id), paymentIntentID: pick(["pi_1", "pi_2", nil]), currency: pick(["usd", "eur", nil]),
            total: total,
            items: [.init(productID: isAccepted ? "sheet" : "kit", units: isAccepted ? 1 : 9, unitPrice: 50)])
        model.add(id, isAccepted: isAccepted, checkout.payment)
        if isAccepted { seq += 1 }
        return order(checkout, isAccepted ? .accepted(seq: seq) : refused(.product("kit"), asked: 9, left: 3))
    }

    private mutating func numbers(_ status: DeadLetterStatus) async throws -> [Int64] {
        try await fixture.ledger.deadLetters(reason: nil, status: status, limit: 1_000, after: nil).elements.map(
            \.number)
    }

    mutating func step() async throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            let open = try await numbers(.open)
            if !open.isEmpty { _ = try await fixture.ledger.replay(.numbers([pick(open)])) }
        case 1, 2:
            // Messages to be republished return: as the same dead letter, or as an order.
            let wanted = try await numbers(.replay)
            guard !wanted.isEmpty else { return }
            let number = pick(wanted)
            let old = model.letters[Int(number) - 1]
            let id = old.payment.orderID?.text
            var records: [BatchRecord<DecidedCommand>] = []
            if let id, model.orders[id] == nil, random.chance(50) {
                records.append(newOrder(id))
            } else {
                records.append(letter(old.payment, old.reason))
            }
            model.letters[Int(number) - 1].isReplayed = true
            let answer = try await fixture.record(records, replayed: [number])
            #expect(answer == .recorded(position: try await fixture.ledger.head().position))
        case 3:
            let letters = try await numbers(.open) + numbers(.replayed)
            if !letters.isEmpty { _ = try await fixture.ledger.discard(.numbers([pick(letters)])) }
        case 4:
            _ = try await fixture.ledger.erase([Identifier(id())])
        case 5:
            let order = pick(model.due.compactMap(\.order).sorted() + [id()])
            let dues = model.due.filter { $0.order == order }
            let amount: Int64? = dues.count == 1 ? pick([nil, 1, 60, 100, 3_000_000]) : nil
            let intent: String? = pick(["pi_1", "pi_2", nil])
            model.refund(order, intent: intent, amount: amount)
            refunds += 1
            let answer = try await fixture.record(
                refund(Identifier("r\(refunds)"), of: Identifier(order), intent: intent, amount: amount))
            #expect(answer == .recorded(position: try await fixture.ledger.head().position))
        default:
            let records = (0..<Int.random(in: 1...5, using: &random)).map { _ in newRecord() }
            let answer = try await fixture.record(records)
            #expect(answer == .recorded(position: try await fixture.ledger.head().position))
        }
    }
}

@Suite struct RefundsModelTests {
    @Test(
        "Whatever happens in whatever order, the list is what is due, and the sums are those of the list",
        arguments: Backend.allCases)
    func histories(_ backend: Backend) async throws {
        let given = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SEED"].flatMap { UInt64($0) }
        let first = given ?? UInt64.random(in: 0..<1 << 32)
        for seed in first..<first + (given == nil ? 6 : 1) {
            try await withLedger(on: backend) { fixture async throws in
                var history = RefundHistory(fixture, seed: seed)
                for step in 0..<60 {
                    try await history.step()
                    let (page, due) = try await fixture.ledger.refunds(limit: 1_000, after: nil)
                    let listed = page.elements.map {
                        RefundModel.Due(
                            order: $0.orderID, intent: $0.paymentIntentID, amount: $0.amount, currency: $0.currency,
                            reason: $0.reason)
                    }
                    let comment = Comment("step \(step); STOCKTAKE_TEST_SEED=\(seed)")
                    try #require(Set(listed) == history.model.due, comment)
                    try #require(due == Self.sums(page.elements), comment)
                    try #require(try await fixture.ledger.check().isSound, comment)
                }
            }
        }
    }

    /// The sums of a list, counted from its rows.
    private static func sums(_ refunds: [RefundDue]) -> RefundsDue {
        var sums: [String: RefundsDue.Sum] = [:]
        for refund in refunds {
            let letters = refund.currency.map { Array($0.utf8) } ?? []
            let isCode =
                letters.count == 3
                && letters.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 }
            let code = isCode ? refund.currency?.lowercased() : nil
            var sum = sums[code ?? "", default: .init(currency: code, refunds: 0, amount: 0)]
            sum.refunds += 1
            sum.amount += refund.amount ?? 0
            sums[code ?? ""] = sum
        }
        return RefundsDue(
            refunds: Int64(refunds.count), unknownAmounts: Int64(refunds.count { $0.amount == nil }),
            sums: sums.values.sorted { ($1.refunds, $0.currency ?? "") < ($0.refunds, $1.currency ?? "") })
    }
}
