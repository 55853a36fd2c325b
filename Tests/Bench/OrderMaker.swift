import Foundation
import Randomness

/// Makes checkout messages of one line, with every field of a message: some 800 bytes each. The same seed makes the
/// same messages.
struct OrderMaker: Sendable {
    enum Ids: Sendable {
        /// Spread over all ids, like the ids of payment services.
        case random
        /// Each after all earlier ones, and after all random ones.
        case rising
    }

    /// Products 0 ..< this are ordered at random.
    let products: Int
    let ids: Ids
    private var generator: SeededGenerator
    /// The number of the next order; the last eight digits of its id.
    private(set) var number = 0

    /// Random ids are below it, rising ones above.
    static let risingFrom: UInt64 = 1 << 62

    init(products: Int, ids: Ids = .random, seed: UInt64) {
        self.products = products
        self.ids = ids
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> [UInt8] {
        let order = number
        number += 1
        let random = generator.next() % Self.risingFrom
        let place = ids == .random ? random : Self.risingFrom + UInt64(order)
        let product = Int(generator.next() % UInt64(products))
        let customer = Int(random % 1_000_000)
        let name = "Maria Muster-\(customer)"
        return Array(
            """
            {"order_id":"\(Self.orderID(place, order))","payment_intent_id":"pi_3\(Self.hex(random))\
            Kq2eZvKY","completed_at":"2026-11-22T10:00:00Z","customer":{"id":"cus_\(Self.hex(random))",\
            "email":"maria.muster.\(customer)@example.com","name":"\(name)"},"currency":"usd","subtotal":99500,"tax":0,\
            "shipping":1500,"total":101000,"items":[{"product_id":"\(Catalogue.id(product))","quantity":1,\
            "unit_price":99500,"stripe_product_id":"prod_Q\(Self.hex(UInt64(product)))",\
            "product_name":"Limited Edition \(product)","variant_name":null}],"shipping_address":{"name":"\(name)",\
            "line1":"\(customer % 400) Example Street","line2":"Apartment \(customer % 30)","city":"Springfield",\
            "state":"IL","postal_code":"\(60_000 + customer % 9_999)","country":"US"}}
            """.utf8)
    }

    /// - Parameter place: The position among all ids.
    static func orderID(_ place: UInt64, _ number: Int) -> String {
        let digits = String(number % 100_000_000)
        return "cs_live_a1\(hex(place))\(String(repeating: "0", count: 8 - digits.count))\(digits)"
    }

    /// The number of the order, from its id.
    static func number(of orderID: String) -> Int? { Int(orderID.suffix(8)) }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
