import Domain
import Testing

@Suite("Caps")
struct CapRuleTests {
    @Test(
        "The units left are the cap less the sold units, never below 0; unlimited ends at 2^53 − 1",
        arguments: [
            (0, 10, 10), (10, 10, 0), (11, 10, 0), (9, 10, 1), (0, 0, 0), (0, nil, Limit.exactInteger),
            (Limit.exactInteger, nil, 0), (1, .max, Limit.exactInteger - 1), (.max, 10, 0), (.max, nil, 0),
            (-1, 10, 11),
            (.min, 10, .max),
        ] as [(Int64, Int64?, Int64)])
    func left(sold: Int64, cap: Int64?, left: Int64) {
        #expect(CapRule.left(sold: sold, cap: cap) == left)
    }
}
