import Inventory
import Testing

@Suite("Demand")
struct DemandTests {
    private typealias Line = (product: Identifier, variant: Identifier?, quantity: Int64)

    private static let (p, q) = (CounterName.product("P"), CounterName.product("Q"))
    private static let (v, w) = (CounterName.variant("V"), CounterName.variant("W"))

    private static let table: [([Line], [Demand])] = [
        ([("P", nil, 2)], [Demand(p, 2)]),
        ([("P", "V", 2)], [Demand(p, 2), Demand(v, 2)]),
        ([("P", "V", 2), ("P", "W", 3)], [Demand(p, 5), Demand(v, 2), Demand(w, 3)]),
        ([("P", "V", 2), ("P", "V", 3)], [Demand(p, 5), Demand(v, 5)]),
        ([("Q", nil, 1), ("P", "V", 2), ("Q", nil, 4)], [Demand(q, 5), Demand(p, 2), Demand(v, 2)]),
        ([("P", "P", 2)], [Demand(p, 2), Demand(.variant("P"), 2)]),
        (
            [("caf\u{E9}", nil, 1), ("cafe\u{301}", nil, 2)],
            [Demand(.product("caf\u{E9}"), 1), Demand(.product("cafe\u{301}"), 2)]
        ),
        ([("P", nil, 1), ("p", nil, 2)], [Demand(p, 1), Demand(.product("p"), 2)]),
    ]

    @Test("is summed per counter, in the order of the lines, product before variant", arguments: table.indices)
    func demand(_ index: Int) {
        let (lines, demand) = Self.table[index]
        let items = lines.map {
            Checkout.Item(productID: $0.product, variantID: $0.variant, quantity: $0.quantity, unitPrice: 1)
        }
        #expect(Checkout(orderID: "o", items: items).demand == demand)
    }

    @Test("of the largest order is exact")
    func largest() {
        let items = (0..<Limit.items).map { _ in
            Checkout.Item(productID: "P", variantID: "V", quantity: Limit.quantity, unitPrice: 1)
        }
        let order = Checkout(orderID: "o", items: items)
        #expect(order.demand == [Demand(Self.p, 2_000_000_000), Demand(Self.v, 2_000_000_000)])
        #expect(order.units == 2_000_000_000)
    }

    @Test(
        "that is refused says why",
        arguments: [(0, ShortageReason.soldOut), (1, .insufficient)] as [(Int64, ShortageReason)])
    func reason(left: Int64, reason: ShortageReason) {
        #expect(Shortage(counter: Self.p, asked: 2, left: left).reason == reason)
    }
}
