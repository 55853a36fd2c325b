import Foundation
import Randomness

/// Makes the messages of a shop's publishers: orders, and everything that goes wrong with them.
struct MessageMaker {
    private let name: String
    private var generator: SeededGenerator
    private var number = 0
    /// Orders that later messages refer to.
    private var recent: [Message.Order] = []
    private var cancellations: [Message.Cancellation] = []
    private var adjustments: [Message.Adjustment] = []
    private var refunds: [Message.Refund] = []
    /// Messages that are sent later than they should be.
    private var heldBack: [(due: Int, message: Message)] = []
    private let changesOrders: Bool

    private static let currency = "usd"

    /// Occurs in every customer's data; must not occur in any log.
    static let canary = "CANARY"

    /// - Parameters:
    ///   - name: The first part of every id.
    ///   - changesOrders: Whether to make cancellations, adjustments and refunds, too.
    init(name: String, generator: SeededGenerator, changesOrders: Bool) {
        self.name = name
        self.generator = generator
        self.changesOrders = changesOrders
    }

    /// The next message, and delayed ones that are now due.
    mutating func next() -> [Message] {
        number += 1
        var messages = [make()]
        // Reordered: held back while others pass.
        if generator.chance(4), let late = messages.popLast() {
            heldBack.append((number + Int.random(in: 1...60, using: &generator), late))
        } else if generator.chance(3) {
            // The same entry twice.
            messages.append(messages[0])
        }
        messages += heldBack.filter { $0.due <= number }.map(\.message)
        heldBack.removeAll { $0.due <= number }
        return messages
    }

    /// The messages that are still held back.
    mutating func rest() -> [Message] {
        defer { heldBack = [] }
        return heldBack.map(\.message)
    }

    private mutating func make() -> Message {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<4: return poison()
        case 4..<8: return replay() ?? order()
        case 8..<11: return conflict() ?? order()
        case 11..<26 where changesOrders: return cancellation()
        case 26..<29 where changesOrders: return adjustment()
        case 29..<33 where changesOrders: return refund()
        default: return order()
        }
    }

    // MARK: - Orders

    private mutating func order() -> Message {
        let order = Message.Order(id: "\(name)-\(number)", lines: lines())
        recent.append(order)
        if recent.count > 300 { recent.removeFirst() }
        return message(order, kind: "order")
    }

    private mutating func lines() -> [Message.Line] {
        let isSafe = generator.chance(60)
        return (0..<max(1, Int.random(in: -2...4, using: &generator))).map { _ in
            let (product, variant) = Assortment.line(isSafe: isSafe, using: &generator)
            let units =
                generator.chance(5)
                ? Int.random(in: 20...60, using: &generator)
                : Int.random(in: 1...3, using: &generator)
            return Message.Line(product: product, variant: variant, units: units)
        }
    }

    /// The same content again, with other wording and another order of its lines.
    private mutating func replay() -> Message? {
        guard var order = recent.randomElement(using: &generator) else { return nil }
        order.lines.shuffle(using: &generator)
        return message(order, kind: "replay")
    }

    /// The same order id with other content.
    private mutating func conflict() -> Message? {
        guard var order = recent.randomElement(using: &generator) else { return nil }
        order.lines[0].units += Int.random(in: 1...3, using: &generator)
        return message(order, kind: "conflict")
    }

    private static func message(_ order: Message.Order, kind: String, canary: String) -> Message {
        let items = order.lines.map { line in
            """
            {"product_id": "\(line.product)", \(variant(line.variant))"quantity": \(line.units), \
            "unit_price": \(line.price)}
            """
        }
        let payload = """
            {"order_id": "\(order.id)", "customer": {"id": "\(canary)", "email": "\(canary)@example.com", \
            "name": "\(canary)"}, "currency": "\(currency)", "items": [\(items.joined(separator: ", "))], \
            "shipping_address": {"name": "\(canary)", "line1": "\(canary)", "country": "GB"}}
            """
        return Message(.order(order), kind: kind, type: "checkout.completed", payload: payload)
    }

    /// An order that is always accepted.
    static func plainOrder(_ id: String) -> Message {
        message(
            Message.Order(id: id, lines: [.init(product: Assortment.plenty, units: 1)]), kind: "plain order",
            canary: canary)
    }

    private mutating func message(_ order: Message.Order, kind: String) -> Message {
        let canary = "\(Self.canary)-\(Int.random(in: 0..<1_000_000, using: &generator))"
        return Self.message(order, kind: kind, canary: canary)
    }

    private static func variant(_ id: String?) -> String { id.map { #""variant_id": "\#($0)", "# } ?? "" }

    // MARK: - Cancellations and adjustments

    private mutating func cancellation() -> Message {
        if generator.chance(10), let again = cancellations.randomElement(using: &generator) {
            return message(again, kind: "cancellation replay")
        }
        if generator.chance(5), var other = cancellations.randomElement(using: &generator) {
            other.restock.toggle()
            return message(other, kind: "cancellation conflict")
        }
        // Some of them overtake their order, or are for an order that was never made.
        let early = Message.Order(id: "\(name)-\(number + Int.random(in: 1...20, using: &generator))", lines: [])
        let order = generator.chance(10) ? early : recent.randomElement(using: &generator) ?? early
        var lines: [Message.Line]?
        if !order.lines.isEmpty, generator.chance(50) {
            // Part of it, or more than there is.
            lines = order.lines.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)).map {
                var line = $0
                line.units = max(1, line.units + Int.random(in: -1...2, using: &generator))
                line.price = 0
                return line
            }
        }
        let cancellation = Message.Cancellation(
            id: "\(name)-c\(number)", order: order.id, lines: lines, restock: !generator.chance(25))
        cancellations.append(cancellation)
        if cancellations.count > 200 { cancellations.removeFirst() }
        return message(cancellation, kind: "cancellation")
    }

    private mutating func message(_ cancellation: Message.Cancellation, kind: String) -> Message {
        let items = cancellation.lines.map { lines in
            let texts = lines.map {
                #"{"product_id": "\#($0.product)", \#(Self.variant($0.variant))"quantity": \#($0.units)}"#
            }
            return #", "items": [\#(texts.joined(separator: ", "))]"#
        }
        let restock =
            cancellation.restock ? (generator.chance(50) ? #", "restock": true"# : "") : #", "restock": false"#
        let payload = """
            {"cancellation_id": "\(cancellation.id)", "order_id": "\(cancellation.order)"\(items ?? "")\(restock)}
            """
        return Message(.cancellation(cancellation), kind: kind, type: "order.cancelled", payload: payload)
    }

    private mutating func adjustment() -> Message {
        var adjustment: Message.Adjustment
        var kind = "adjustment"
        if generator.chance(15), let again = adjustments.randomElement(using: &generator) {
            adjustment = again
            kind = "adjustment replay"
            if generator.chance(40) {
                adjustment.units += 1
                if adjustment.units == 0 { adjustment.units = 1 }
                kind = "adjustment conflict"
            }
        } else {
            let (product, variant) = Assortment.line(using: &generator)
            let size = Int.random(in: 1...8, using: &generator)
            adjustment = Message.Adjustment(
                id: "\(name)-a\(number)", product: product, variant: variant,
                units: generator.chance(40) ? -size : size)
            adjustments.append(adjustment)
            if adjustments.count > 100 { adjustments.removeFirst() }
        }
        return Self.message(adjustment, kind: kind)
    }

    static let adjustmentReason = "counted"

    static func message(_ adjustment: Message.Adjustment, kind: String) -> Message {
        let payload = """
            {"adjustment_id": "\(adjustment.id)", "product_id": "\(adjustment.product)", \
            \(variant(adjustment.variant))"sold": \(adjustment.units), "reason": "\(adjustmentReason)"}
            """
        return Message(.adjustment(adjustment), kind: kind, type: "stock.adjusted", payload: payload)
    }

    // MARK: - Refunds

    private mutating func refund() -> Message {
        if generator.chance(10), let again = refunds.randomElement(using: &generator) {
            return Self.message(again, kind: "refund replay")
        }
        if generator.chance(5), var other = refunds.randomElement(using: &generator) {
            other.amount = (other.amount ?? 0) + 1
            return Self.message(other, kind: "refund conflict")
        }
        let early = "\(name)-\(number + Int.random(in: 1...20, using: &generator))"
        let order = generator.chance(20) ? early : recent.randomElement(using: &generator)?.id ?? early
        let refund = Message.Refund(
            id: "\(name)-r\(number)", order: order,
            amount: generator.chance(50) ? Int.random(in: 1...400, using: &generator) : nil)
        refunds.append(refund)
        if refunds.count > 100 { refunds.removeFirst() }
        return Self.message(refund, kind: "refund")
    }

    private static func message(_ refund: Message.Refund, kind: String) -> Message {
        let amount = refund.amount.map { #", "amount": \#($0), "currency": "\#(currency)""# } ?? ""
        let payload = #"{"refund_id": "\#(refund.id)", "order_id": "\#(refund.order)"\#(amount)}"#
        return Message(.refund(refund), kind: kind, type: "order.refunded", payload: payload)
    }

    // MARK: - Poison

    private mutating func poison() -> Message {
        PoisonMaker.message(number: "\(name)-p\(number)", using: &generator)
    }
}
