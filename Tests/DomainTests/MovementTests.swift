import Domain
import Testing

@Suite("An order's movements")
struct MovementTests {
    private typealias Line = (product: Identifier, variant: Identifier?, units: Int64)

    private static let (p, q) = (CounterName.product("P"), CounterName.product("Q"))
    private static let (v, w) = (CounterName.variant("V"), CounterName.variant("W"))

    private static let table: [([Line], [Movement])] = [
        ([("P", nil, 2)], [Movement(p, sold: 2)]),
        ([("P", "V", 2)], [Movement(p, sold: 2), Movement(v, sold: 2)]),
        ([("P", "V", 2), ("P", "W", 3)], [Movement(p, sold: 5), Movement(v, sold: 2), Movement(w, sold: 3)]),
        ([("P", "V", 2), ("P", "V", 3)], [Movement(p, sold: 5), Movement(v, sold: 5)]),
        (
            [("Q", nil, 1), ("P", "V", 2), ("Q", nil, 4)],
            [Movement(q, sold: 5), Movement(p, sold: 2), Movement(v, sold: 2)]
        ),
        ([("P", "P", 2)], [Movement(p, sold: 2), Movement(.variant("P"), sold: 2)]),
        (
            [("caf\u{E9}", nil, 1), ("cafe\u{301}", nil, 2)],
            [Movement(.product("caf\u{E9}"), sold: 1), Movement(.product("cafe\u{301}"), sold: 2)]
        ),
        ([("P", nil, 1), ("p", nil, 2)], [Movement(p, sold: 1), Movement(.product("p"), sold: 2)]),
    ]

    @Test("are summed per counter, in the order of the lines, product before variant", arguments: table.indices)
    func movements(_ index: Int) {
        let (lines, movements) = Self.table[index]
        let items = lines.map {
            Checkout.Item(productID: $0.product, variantID: $0.variant, units: $0.units, unitPrice: 1)
        }
        #expect(Order(Checkout(orderID: "o", items: items)).movements == movements)
    }

    @Test("of the largest order are exact")
    func largest() {
        let items = (0..<Limit.items).map { _ in
            Checkout.Item(productID: "P", variantID: "V", units: Limit.units, unitPrice: 1)
        }
        let order = Order(Checkout(orderID: "o", items: items))
        #expect(order.movements == [Movement(Self.p, sold: 2_000_000_000), Movement(Self.v, sold: 2_000_000_000)])
        #expect(order.checkout.units == 2_000_000_000)
    }

    @Test(
        "that exceed the range report the reason",
        arguments: [(0, ShortageReason.soldOut), (1, .insufficient)] as [(Int64, ShortageReason)])
    func reason(left: Int64, reason: ShortageReason) {
        #expect(Shortage(counter: Self.p, asked: 2, left: left).reason == reason)
    }
}
