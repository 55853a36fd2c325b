import Foundation
import Testing

/// The expected result of messages that are processed strictly one by one, independent of the program's code.
struct SequentialModel {
    struct Line {
        var product: String
        var variant: String?
        var units: Int
    }

    struct Order {
        var id: String
        var lines: [Line]

        init(_ id: String, _ lines: (String, String?, Int)...) {
            self.id = id
            self.lines = lines.map { Line(product: $0.0, variant: $0.1, units: $0.2) }
        }

        /// The message as `stocktake publish` takes it.
        var message: String {
            let items = lines.map { line in
                let variant = line.variant.map { ", \"variant_id\": \"\($0)\"" } ?? ""
                return
                    #"{"product_id": "\#(line.product)"\#(variant), "quantity": \#(line.units), "unit_price": 100}"#
            }
            return
                #"{"type": "checkout.completed", "payload": {"order_id": "\#(id)", "items": [\#(items.joined(separator: ", "))]}}"#
        }
    }

    /// Cancels some of an order's units, or all that are left (`lines` nil).
    struct Cancellation {
        var id: String
        var order: String
        var lines: [Line]?
        var restock = true

        init(_ id: String, of order: String, _ lines: (String, String?, Int)..., restock: Bool = true) {
            self.id = id
            self.order = order
            self.lines = lines.isEmpty ? nil : lines.map { Line(product: $0.0, variant: $0.1, units: $0.2) }
            self.restock = restock
        }

        var message: String {
            let items = lines.map { lines in
                let texts = lines.map { line in
                    let variant = line.variant.map { #", "variant_id": "\#($0)""# } ?? ""
                    return #"{"product_id": "\#(line.product)"\#(variant), "quantity": \#(line.units)}"#
                }
                return #", "items": [\#(texts.joined(separator: ", "))]"#
            }
            return
                #"{"type": "order.cancelled", "payload": {"cancellation_id": "\#(id)", "order_id": "\#(order)"\#(items ?? "")\#(restock ? "" : #", "restock": false"#)}}"#
        }
    }

    struct Adjustment {
        var id: String
        var product: String
        var variant: String?
        var sold: Int

        var message: String {
            let variant = variant.map { #", "variant_id": "\#($0)""# } ?? ""
            return
                #"{"type": "stock.adjusted", "payload": {"adjustment_id": "\#(id)", "product_id": "\#(product)"\#(variant), "sold": \#(sold), "reason": "sold elsewhere"}}"#
        }
    }

    enum Message {
        case order(Order)
        case cancellation(Cancellation)
        case adjustment(Adjustment)

        var message: String {
            switch self {
            case .order(let order): order.message
            case .cancellation(let cancellation): cancellation.message
            case .adjustment(let adjustment): adjustment.message
            }
        }
    }

    /// Caps of `Shop.catalogue`.
    static let caps = ["CUBE": 10, "BLACK": 5, "WHITE": 4, "GREEN": 2, "LAMP": 7]

    private(set) var sold: [String: Int] = [:]
    private(set) var statuses: [String: String] = [:]
    /// Units that each cancellation gave back.
    private(set) var givenBack: [String: Int] = [:]
    private(set) var adjusted: [String: Int] = [:]
    /// Units that each accepted order still owns, by product and variant.
    private var owned: [String: [[String?]: Int]] = [:]
    /// Sold units that no order owns: adjustments, and units that were cancelled without restock.
    private var extra: [String: Int] = [:]
    /// Cancellations that preceded their orders.
    private(set) var early: [Cancellation] = []

    mutating func take(_ orders: [Order]) {
        for order in orders { take(.order(order)) }
    }

    /// - Returns: The model after the messages, followed by the cancellations that had preceded their orders.
    func taking(_ messages: [Message]) -> SequentialModel {
        var model = self
        for message in messages { model.take(message) }
        let early = model.early
        model.early = []
        for cancellation in early { model.take(.cancellation(cancellation)) }
        return model
    }

    mutating func take(_ message: Message) {
        switch message {
        case .order(let order): if statuses[order.id] == nil { take(order) }
        case .cancellation(let cancellation): if givenBack[cancellation.id] == nil { take(cancellation) }
        case .adjustment(let adjustment): if adjusted[adjustment.id] == nil { take(adjustment) }
        }
    }

    private mutating func take(_ order: Order) {
        var asked: [String: Int] = [:]
        var units: [[String?]: Int] = [:]
        for line in order.lines {
            asked[line.product, default: 0] += line.units
            if let variant = line.variant { asked[variant, default: 0] += line.units }
            units[[line.product, line.variant], default: 0] += line.units
        }
        let fits = asked.allSatisfy { id, units in sold[id, default: 0] + units <= Self.caps[id] ?? .max }
        statuses[order.id] = fits ? "accepted" : "refused"
        owned[order.id] = fits ? units : [:]
        if fits { for (id, units) in asked { sold[id, default: 0] += units } }
    }

    private mutating func take(_ cancellation: Cancellation) {
        guard var owned = owned[cancellation.order] else {
            early.append(cancellation)
            return
        }
        var asked = owned
        if let lines = cancellation.lines {
            asked = [:]
            for line in lines { asked[[line.product, line.variant], default: 0] += line.units }
        }
        var back = 0
        for (sku, units) in asked {
            let taken = min(units, owned[sku] ?? 0)
            owned[sku]? -= taken
            for id in sku.compactMap({ $0 }) {
                if cancellation.restock { sold[id, default: 0] -= taken } else { extra[id, default: 0] += taken }
            }
            if cancellation.restock { back += taken }
        }
        givenBack[cancellation.id] = back
        self.owned[cancellation.order] = owned
        if statuses[cancellation.order] == "accepted", owned.values.allSatisfy({ $0 == 0 }) {
            statuses[cancellation.order] = "cancelled"
        }
    }

    private mutating func take(_ adjustment: Adjustment) {
        let ids = [adjustment.product, adjustment.variant].compactMap { $0 }
        guard ids.allSatisfy({ extra[$0, default: 0] + adjustment.sold >= 0 }) else { return }
        for id in ids {
            sold[id, default: 0] += adjustment.sold
            extra[id, default: 0] += adjustment.sold
        }
        adjusted[adjustment.id] = adjustment.sold
    }

    /// Compares the model with the shop's ledger.
    func expect(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) throws {
        func pairs(_ sql: String) throws -> [String: String] {
            Dictionary(try shop.query(sql).map { ($0[0], $0[1]) }, uniquingKeysWith: { $0 + " twice " + $1 })
        }
        #expect(try pairs("SELECT id, status FROM orders") == statuses, sourceLocation: location)
        #expect(
            try pairs("SELECT id, units FROM cancellations") == givenBack.mapValues { "\($0)" },
            sourceLocation: location)
        #expect(
            try pairs("SELECT id, quantity FROM adjustments") == adjusted.mapValues { "\($0)" },
            sourceLocation: location)
        let counters = try shop.query(
            "SELECT id, sold_quantity, adjusted_quantity FROM products UNION ALL SELECT id, sold_quantity, adjusted_quantity FROM variants"
        )
        for row in counters {
            #expect(Int(row[1]) == sold[row[0], default: 0], "sold_quantity of \(row[0])", sourceLocation: location)
            #expect(
                Int(row[2]) == extra[row[0], default: 0], "adjusted_quantity of \(row[0])", sourceLocation: location)
        }
    }

    /// Orders that fill every cap, some of them too large, several with more than one line.
    static let rush: [Order] = (0..<60).map { number in
        let id = "order-\(number)"
        return switch number % 6 {
        case 0: Order(id, ("CUBE", "BLACK", 1 + number % 2), ("PANEL", nil, 3))
        case 1: Order(id, ("CUBE", "WHITE", 1), ("CUBE", "WHITE", number % 4))
        case 2: Order(id, ("LAMP", nil, 1 + number % 3))
        case 3: Order(id, ("CUBE", "RED", 1), ("LAMP", nil, 1))
        case 4: Order(id, ("OTHER", "GREEN", 1), ("PANEL", nil, 1))
        default: Order(id, ("PANEL", nil, number))
        }
    }.map { order in
        // A line of quantity 0 would be invalid.
        var order = order
        order.lines.removeAll { $0.units == 0 }
        return order
    }

    /// The rush with cancellations and adjustments of every kind in between. Those that precede their order are of the
    /// unlimited product, so that it does not matter when they are processed.
    static let orderDetails: [Message] = rush.enumerated().flatMap { number, order -> [Message] in
        let id = order.id
        let more: [Message] =
            switch number {
            // All of it, twice; then of an order that owns nothing any more.
            case 6:
                [
                    .cancellation(Cancellation("all-\(id)", of: id)), .cancellation(Cancellation("all-\(id)", of: id)),
                    .cancellation(Cancellation("again-\(id)", of: id)),
                ]
            // Some of it, on two lines of one variant, then more than is left.
            case 7:
                [
                    .cancellation(
                        Cancellation("some-\(id)", of: id, ("CUBE", "WHITE", 1), ("CUBE", "WHITE", 1))),
                    .cancellation(Cancellation("more-\(id)", of: id, ("CUBE", "WHITE", 50), ("LAMP", nil, 1))),
                ]
            // Of a much earlier order, without restock; of a product that neither the order nor the shop ever had.
            case 13:
                [
                    .cancellation(Cancellation("broken-0", of: "order-0", ("CUBE", "BLACK", 1), restock: false)),
                    .cancellation(Cancellation("never", of: "order-0", ("NONE", "NONE", 5), ("CUBE", nil, 1))),
                ]
            // Before its order arrives, twice; and of one that never arrives.
            case 20:
                [
                    .cancellation(Cancellation("early", of: "order-59", ("PANEL", nil, 2))),
                    .cancellation(Cancellation("early", of: "order-59", ("PANEL", nil, 2))),
                ]
            // Sold elsewhere, beyond the cap; and most of it taken back.
            case 26:
                [
                    .adjustment(Adjustment(id: "fair", product: "OTHER", variant: "GREEN", sold: 9)),
                    .adjustment(Adjustment(id: "back", product: "OTHER", variant: "GREEN", sold: -8)),
                    .adjustment(Adjustment(id: "fair", product: "OTHER", variant: "GREEN", sold: 9)),
                ]
            // Units reported broken turn out to be whole; more than was ever added.
            case 33:
                [
                    .adjustment(Adjustment(id: "whole", product: "CUBE", variant: "BLACK", sold: -1)),
                    .adjustment(Adjustment(id: "too-much", product: "CUBE", variant: "BLACK", sold: -1)),
                ]
            // Of a refused order.
            case 50: [.cancellation(Cancellation("refused-\(id)", of: "order-48"))]
            default: []
            }
        return [.order(order)] + more
    }
}
