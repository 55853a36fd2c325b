import Cryptography
import Domain
import Testing

@Suite("The digest of an order's content")
struct ContentDigestTests {
    private struct Line {
        var product: Identifier
        var variant: Identifier?
        var units: Int64
        var price: Int64

        init(_ product: Identifier, _ variant: Identifier?, _ units: Int64, _ price: Int64) {
            self.product = product
            self.variant = variant
            self.units = units
            self.price = price
        }
    }

    private static func digest(_ lines: [Line]) -> [UInt8] {
        Checkout(
            orderID: "o",
            items: lines.map {
                .init(productID: $0.product, variantID: $0.variant, units: $0.units, unitPrice: $0.price)
            }
        ).contentDigest
    }

    private static let order = [Line("P", "V", 2, 100), Line("P", "W", 1, 100), Line("Q", nil, 3, 50)]

    private static let splits: [(String, [Line])] = [
        ("in another order", [order[2], order[0], order[1]]),
        ("a line split in two", [Line("P", "V", 1, 100), order[1], order[2], Line("P", "V", 1, 100)]),
        (
            "every unit on a line of its own",
            order.flatMap { line in
                (0..<line.units).map { _ in Line(line.product, line.variant, 1, line.price) }
            }
        ),
    ]

    @Test("is the same however the lines are split or ordered", arguments: splits.indices)
    func sameContent(_ index: Int) {
        #expect(Self.digest(Self.splits[index].1) == Self.digest(Self.order), "\(Self.splits[index].0)")
    }

    @Test("excludes fields that are not content")
    func otherFields() {
        let plain = Checkout(orderID: "o", items: [.init(productID: "P", units: 1, unitPrice: 1)])
        let rich = Checkout(
            orderID: "another", paymentIntentID: "pi", completedAt: "now", customer: .init(id: "c"), currency: "usd",
            subtotal: 1, tax: 1, shipping: 1, total: 3,
            items: [
                .init(
                    productID: "P", units: 1, unitPrice: 1, stripeProductID: "prod", productName: "n",
                    variantName: "v")
            ], shippingAddress: .init(city: "c"))
        #expect(plain.contentDigest == rich.contentDigest)
        #expect(plain.contentDigest.count == 32)
    }

    /// Contents of which no two are equal, although they would be if their parts were merely concatenated.
    private static let contents: [[Line]] = [
        order,
        [Line("P", "V", 3, 100), Line("P", "W", 1, 100), Line("Q", nil, 3, 50)],
        [Line("P", "V", 2, 101), Line("P", "W", 1, 100), Line("Q", nil, 3, 50)],
        [Line("P", "V", 1, 100), Line("P", "W", 2, 100), Line("Q", nil, 3, 50)],
        [Line("P", "V", 2, 100), Line("P", "W", 1, 100), Line("R", nil, 3, 50)],
        [Line("P", "V", 2, 100), Line("P", "W", 1, 100)],
        // The same product at two prices.
        [Line("P", nil, 1, 1), Line("P", nil, 2, 2)],
        [Line("P", nil, 2, 1), Line("P", nil, 1, 2)],
        [Line("P", nil, 3, 1)],
        [Line("P", nil, 1, 3)],
        // The boundary between two ids.
        [Line("ab", "c", 1, 1)],
        [Line("a", "bc", 1, 1)],
        [Line("abc", nil, 1, 1)],
        [Line("c", "ab", 1, 1)],
        // Ids that contain bytes like a length: 1 is the length of the preceding "c".
        [Line("a\u{1}c", nil, 1, 1)],
        [Line("a", "c", 1, 1)],
        [Line("a", "\u{0}", 1, 1)],
        [Line("a", nil, 1, 1)],
        // Case and composition.
        [Line("p", nil, 3, 1)],
        [Line("caf\u{E9}", nil, 1, 1)],
        [Line("cafe\u{301}", nil, 1, 1)],
        // The longest id, whose length is the largest that fits into a byte, and the ids around which a length would
        // wrap.
        [Line(Identifier(String(repeating: "a", count: 255)), nil, 1, 1)],
        [Line(Identifier(String(repeating: "a", count: 254)), "a", 1, 1)],
        // The end of a line and the start of the next.
        [Line("x", nil, 1, 1), Line("y", nil, 1, 1)],
        [Line("x", "y", 1, 1)],
        [Line("x", "y", 1, 1), Line("x", nil, 1, 1)],
    ]

    @Test("differs whenever product, variant, quantity or price differ")
    func different() {
        var seen: [[UInt8]: Int] = [:]
        for (index, lines) in Self.contents.enumerated() {
            let earlier = seen.updateValue(index, forKey: Self.digest(lines))
            #expect(earlier == nil, "\(lines) has the digest of number \(earlier ?? -1)")
        }
    }

    @Test("never changes: digests are stored in ledgers")
    func stable() {
        #expect(Self.digest(Self.order) == Self.expected)
    }

    /// Lengths, ids, price and units alternating, big-endian, of the sorted lines.
    private static let expected: [UInt8] = SHA256.digest(
        [1, 80, 1, 86, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 2]
            + [1, 80, 1, 87, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 1]
            + [1, 81, 0, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 3])
}
