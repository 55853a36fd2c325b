import Foundation
import Testing

/// What must come of messages when they are taken strictly one by one. Knows nothing of how the program does it.
struct SequentialModel {
    struct Line {
        var product: String
        var variant: String?
        var quantity: Int
    }

    struct Order {
        var id: String
        var lines: [Line]

        init(_ id: String, _ lines: (String, String?, Int)...) {
            self.id = id
            self.lines = lines.map { Line(product: $0.0, variant: $0.1, quantity: $0.2) }
        }

        /// As `stocktake publish` takes it.
        var message: String {
            let items = lines.map { line in
                let variant = line.variant.map { ", \"variant_id\": \"\($0)\"" } ?? ""
                return
                    #"{"product_id": "\#(line.product)"\#(variant), "quantity": \#(line.quantity), "unit_price": 100}"#
            }
            return
                #"{"type": "checkout.completed", "payload": {"order_id": "\#(id)", "items": [\#(items.joined(separator: ", "))]}}"#
        }
    }

    /// Caps of `Shop.catalog`.
    static let caps = ["CUBE": 10, "BLACK": 5, "WHITE": 4, "GREEN": 2, "LAMP": 7]

    private(set) var sold: [String: Int] = [:]
    private(set) var statuses: [String: String] = [:]

    mutating func take(_ orders: [Order]) {
        for order in orders where statuses[order.id] == nil {
            var demand: [String: Int] = [:]
            for line in order.lines {
                demand[line.product, default: 0] += line.quantity
                if let variant = line.variant { demand[variant, default: 0] += line.quantity }
            }
            let fits = demand.allSatisfy { id, units in sold[id, default: 0] + units <= Self.caps[id] ?? .max }
            statuses[order.id] = fits ? "accepted" : "refused"
            if fits { for (id, units) in demand { sold[id, default: 0] += units } }
        }
    }

    /// Compares with what the shop's ledger holds.
    func expect(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) throws {
        let orders = try shop.query("SELECT id, status FROM orders")
        let found = Dictionary(orders.map { ($0[0], $0[1]) }, uniquingKeysWith: { $0 + " twice " + $1 })
        #expect(found == statuses, sourceLocation: location)
        let counters = try shop.query(
            "SELECT id, sold_quantity FROM products UNION ALL SELECT id, sold_quantity FROM variants")
        for row in counters {
            #expect(Int(row[1]) == sold[row[0], default: 0], "sold_quantity of \(row[0])", sourceLocation: location)
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
        // Quantity 0 would be no line at all.
        var order = order
        order.lines.removeAll { $0.quantity == 0 }
        return order
    }
}
